"""What Google's OAuth endpoints refuse, as our errors (facts 203-216)."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google.auth.exceptions
import requests

from shared.domain import answers, errors

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST_PAGE = 100_000
_ACCOUNT_GONE = re.compile(r"account\b.*\b(deleted|disabled|suspended)", re.IGNORECASE)
"""In the description of `invalid_grant`, of an account that is not there any more.

Google documents none; seen was "Account has been deleted"
(https://github.com/FlowCrypt/flowcrypt-browser/issues/2269).
"""


class ConsentDeniedError(errors.RemoteRejectedError):
    """The user did not give consent."""


class RedirectRefusedError(errors.RemoteAuthError):
    """The client is accepted, but our redirect address is not registered for it."""


_BY_CODE: Mapping[str, type[errors.SyncError]] = {
    "access_denied": ConsentDeniedError,
    "invalid_grant": errors.GrantRevokedError,
    "invalid_client": errors.ClientRefusedError,
    "unauthorized_client": errors.ClientRefusedError,
    "deleted_client": errors.ClientRefusedError,
    "disabled_client": errors.ClientRefusedError,
    "admin_policy_enforced": errors.AdminPolicyError,
    "org_internal": errors.AdminPolicyError,
    "redirect_uri_mismatch": RedirectRefusedError,
    "server_error": errors.RemoteUnavailableError,
    "temporarily_unavailable": errors.RemoteUnavailableError,
}


def refusal(code: str, what: str) -> errors.SyncError:
    """Return the error for an OAuth error code, such as the callback's `error`.

    `access_denied` gives `ConsentDeniedError`.
    """
    # It comes from outside, and ends up in a message: only a code may.
    shown = code if _CODE.fullmatch(code) else "an unknown error"
    kind = _BY_CODE.get(code, errors.RemoteAuthError)
    return kind(f"Google answered {what} with {shown}")


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Raise our error when no answer comes; `what` names the operation."""
    try:
        yield
    except (requests.RequestException, google.auth.exceptions.TransportError) as error:
        message = f"Google did not answer {what}: {type(error).__name__}"
        raise errors.RemoteUnavailableError(message) from error


def check_answers(session: requests.Session, what: str) -> None:
    """Raise our errors for answers without a token, before a library reads them.

    oauthlib and google-auth look at the body only, and google-auth would repeat the
    request with pauses of its own (fact 252).
    """

    def check(answer: requests.Response, **_: object) -> None:
        if answer.status_code != HTTPStatus.OK:
            raise refusal_of(answer, what)
        if not isinstance(_json(answer).get("access_token"), str):
            message = f"Google's answer to {what} is not readable"
            raise errors.RemoteUnavailableError(message)

    session.hooks["response"].append(check)


def refusal_of(answer: requests.Response, what: str) -> errors.SyncError:
    """Return the error for an answer: by its code, or else by its status."""
    status, code = answer.status_code, code_of(answer)
    message = f"Google answered {what} with {status}"
    wish = answer.headers.get("Retry-After")
    pause = answers.retry_after(wish, date=answer.headers.get("Date"))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return errors.RateLimitError(message, retry_after=pause)
    if not code or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.RemoteUnavailableError(message, retry_after=pause)
    error = refusal(code, what)
    is_revoked = isinstance(error, errors.GrantRevokedError)
    if is_revoked and _ACCOUNT_GONE.search(_text(answer, "error_description")):
        return errors.AccountGoneError(str(error))
    return error


def code_of(answer: requests.Response) -> str:
    """Return the OAuth error code of an answer, empty if it has none."""
    return _text(answer, "error")


def code_of_page(answer: requests.Response) -> str:
    """Return the error code of a consent page that refuses an app, else empty.

    Google sends the browser to a page of errors, whose `authError` is the code and a
    text in base64 (seen in many reports, documented nowhere); older, and simulated,
    pages are the error page themselves. A page that asks for consent has no code.
    """
    query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    shown = _unpacked(query.get("authError", [""])[0])
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        shown += answer.text[:_LONGEST_PAGE]
    return next((code for code in _BY_CODE if code in shown), "")


def _unpacked(text: str) -> str:
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.urlsafe_b64decode(padded).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _text(answer: requests.Response, name: str) -> str:
    value = _json(answer).get(name)
    return value if isinstance(value, str) else ""


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except requests.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
