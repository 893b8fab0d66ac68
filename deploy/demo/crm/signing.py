"""Signs webhooks as the Standard Webhooks specification says."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

_PREFIX = "whsec_"


def is_secret(text: str) -> bool:
    """Whether a text is `whsec_` followed by base64 of something."""
    try:
        return text.startswith(_PREFIX) and bool(_key_of(text))
    except ValueError:
        return False


def signature(
    secrets: Iterable[str], *, delivery_id: str, timestamp: int, body: bytes
) -> str:
    """Return the `webhook-signature` header: one signature for each secret."""
    signed = b".".join((delivery_id.encode(), str(timestamp).encode(), body))
    digests = (hmac.digest(_key_of(s), signed, hashlib.sha256) for s in secrets)
    return " ".join(f"v1,{base64.b64encode(d).decode()}" for d in digests)


def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
