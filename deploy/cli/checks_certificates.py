"""The doctor's checks of the certificates of our public addresses."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from requests import utils

from deploy.cli import findings
from deploy.cli.findings import Finding
from deploy.cli.foundation import Foundation

_PATIENCE_SECONDS = 5
_SOON = timedelta(days=14)
_HTTPS_PORT = 443


def check_certificates(base: Foundation) -> Iterator[Finding]:
    """Check those of PUBLIC_URL and of where Google sends its notifications.

    Google and CRMs deliver to no address whose certificate is not valid.
    """
    urls = [urlsplit(url) for url in (base.config.public_url, base.config.push_address)]
    https = [url for url in urls if url.scheme == "https" and url.hostname]
    addresses = {(url.hostname or "", url.port or _HTTPS_PORT) for url in https}
    for host, port in sorted(addresses):
        yield _check(host, port, base.clock.now())


def _check(host: str, port: int, now: datetime) -> Finding:
    subject = f"certificate of {host}:{port}"
    try:
        expires_at = _expiry(host, port)
    except ssl.SSLCertVerificationError as error:
        text = f"is not valid: {error.verify_message}"
        remedy = "install one for this host, together with its chain"
        return findings.problem(subject, text, remedy)
    except ssl.SSLError as error:
        text = f"cannot be had, because no TLS is spoken there ({error.reason})"
        remedy = "set up https there, or correct PUBLIC_URL and GOOGLE_PUSH_ADDRESS"
        return findings.problem(subject, text, remedy)
    except OSError as error:
        # From here the public address may be out of reach, so this is no problem.
        why = error.strerror or type(error).__name__
        remedy = "look at it from outside"
        return findings.note(subject, f"cannot be seen from here ({why})", remedy)
    text = f"is valid until {expires_at.isoformat()}"
    if expires_at - now < _SOON:
        return findings.note(subject, text, "renew it, and see why nobody did so yet")
    return findings.ok(subject, text)


def _expiry(host: str, port: int) -> datetime:
    """Return when the certificate expires; raises `OSError` if it is not valid."""
    with (
        socket.create_connection((host, port), _PATIENCE_SECONDS) as line,
        _trusting().wrap_socket(line, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    seconds = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return datetime.fromtimestamp(seconds, UTC)


def _trusting() -> ssl.SSLContext:
    """Return what trusts whom our requests trust: small images have no other list."""
    trusted = os.environ.get("REQUESTS_CA_BUNDLE") or utils.DEFAULT_CA_BUNDLE_PATH
    if Path(trusted).is_dir():
        return ssl.create_default_context(capath=trusted)
    return ssl.create_default_context(cafile=trusted)
