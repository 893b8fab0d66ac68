"""Signatures: Standard Webhooks, the tokens of watch channels, hashed secrets.

The standardwebhooks package reads the clock itself and takes one secret; ours takes the
time as a parameter and all secrets that are valid while one is rotated. The tests check
it against that package.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from shared.domain import errors, identifiers

TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"
SECRET_BYTES = 32
"""How many random bytes a new secret is made of; the standard asks for 24 to 64."""
_MOST_SECRETS = 2
CHANNEL_TOKEN_PURPOSE = "channel-token"  # noqa: S105 - what a key is derived for
"""Where channel tokens are signed and verified, the key is derived for this."""
_MARK_LENGTH = 12


def secret_key(secret: str) -> bytes:
    """Return the key of a webhook secret; raises `ValueError` for a malformed one."""
    message = f"must be {PREFIX} followed by base64"
    if not secret.startswith(PREFIX):
        raise ValueError(message)
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        raise ValueError(message) from None
    if not key:
        raise ValueError(message)
    return key


def new_secret(random: bytes) -> str:
    """Return a webhook secret made of so many random bytes as `SECRET_BYTES`."""
    return PREFIX + base64.b64encode(random).decode()


def rotated(secrets: Sequence[str], new: str) -> list[str]:
    """Return the secrets once a new one is accepted, newest first.

    The one before stays valid while the CRM goes on signing with it.
    """
    old = [known for known in secrets if known != new]
    return [new, *old][:_MOST_SECRETS]


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secrets: Sequence[str],
    now: datetime,
) -> str:
    """Return the delivery id of a webhook that one of the secrets signed.

    Verifies the bytes received, before anything parses them. Raises
    `WebhookSignatureError`, or `WebhookTimestampError` when it was signed more than
    five minutes from `now`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    delivery_id = given.get("webhook-id", "")
    timestamp = given.get("webhook-timestamp", "")
    signatures = given.get("webhook-signature", "").split()
    if not (delivery_id and timestamp and signatures):
        message = "webhook-id, webhook-timestamp or webhook-signature is missing"
        raise errors.WebhookSignatureError(message)
    _verify_timestamp(timestamp, now)
    expected = [_sign(body, delivery_id, timestamp, s).encode() for s in secrets]
    for signature in signatures:
        if any(hmac.compare_digest(signature.encode(), mine) for mine in expected):
            return delivery_id
    raise errors.WebhookSignatureError


def sign_webhook(
    body: bytes, *, delivery_id: str, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """Return the headers of a delivery, signed by every secret."""
    timestamp = str(int(now.timestamp()))
    signatures = [_sign(body, delivery_id, timestamp, secret) for secret in secrets]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def channel_token(key: bytes, channel_id: str) -> str:
    """Return the token of a watch channel: an HMAC over its id.

    Checking it needs no database. Google echoes up to 256 characters (fact 140).
    """
    mac = hmac.new(key, channel_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def channel_id(key: bytes, random: bytes) -> str:
    """Return an id for a watch channel whose token this key signs.

    It ends in the mark of the key, so that channels tell which key they need. Of 24
    random bytes it has 45 characters; Google takes up to 64 (fact 140).
    """
    return f"{identifiers.opaque(random)}-{channel_mark(key)}"


def channel_mark(key: bytes) -> str:
    """Return what the ids of channels end in whose tokens this key signs."""
    mac = hmac.new(key, b"mark of channel ids", hashlib.sha256)
    return mac.hexdigest()[:_MARK_LENGTH]


def is_channel_token(keys: Sequence[bytes], channel_id: str, token: str) -> bool:
    """Tell whether one of the keys made the token of this channel."""
    given = token.encode()
    return any(
        hmac.compare_digest(given, channel_token(key, channel_id).encode())
        for key in keys
    )


def hash_secret(secret: str) -> str:
    """Return what is stored of a random secret, such as an API token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _verify_timestamp(timestamp: str, now: datetime) -> None:
    try:
        distance = abs(int(timestamp) - now.timestamp())
    except (ValueError, OverflowError):
        message = "webhook-timestamp is not a number of seconds"
        raise errors.WebhookTimestampError(message) from None
    if distance > TOLERANCE.total_seconds():
        raise errors.WebhookTimestampError


def _sign(body: bytes, delivery_id: str, timestamp: str, secret: str) -> str:
    signed = b".".join([delivery_id.encode(), timestamp.encode(), body])
    mac = hmac.new(secret_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()
