"""Page tokens and sync tokens: opaque to clients, a little JSON inside.

Both are sealed with a checksum, so that a tampered one is refused (fact 23).
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from datetime import timedelta

from deploy.demo.google import errors, model

LIFETIME = timedelta(days=30)
"""How long a sync token lives here; Google publishes no figure (fact 24)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncToken:
    """What was listed up to which change.

    `epoch` names the list and its generation, `filters` what narrowed it.
    """

    epoch: str
    filters: str
    number: int
    issued_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToken:
    """Where a page begins: after `key`; `number` is the change seen on the first."""

    query: str
    number: int
    key: list[str | int]
    after_empty: bool = False


def seal(token: SyncToken | PageToken) -> str:
    """Return the text of a token."""
    fields = [getattr(token, name) for name in token.__slots__]
    raw = json.dumps(fields, separators=(",", ":")).encode()
    sealed = zlib.crc32(raw).to_bytes(4) + raw
    return base64.urlsafe_b64encode(sealed).decode()


def open_sync(text: str, *, epoch: str, filters: str, now: int) -> SyncToken:
    """Return what a sync token says, or raise 410 for one that is dead.

    What Google does when the filters differ is undefined (fact 9); here it is refused
    with 400, so that the mistake is seen.
    """
    try:
        token = SyncToken(**_unseal(text, SyncToken))
    except (TypeError, ValueError) as error:
        raise errors.full_sync_required() from error
    age = now - token.issued_at
    if token.epoch != epoch or age > LIFETIME // timedelta(microseconds=1):
        raise errors.full_sync_required()
    if token.filters != filters:
        raise errors.sync_token_with_restrictions()
    return token


def open_page(text: str, *, query: str) -> PageToken:
    """Return what a page token says, or raise 400 for one that is not this list's."""
    try:
        token = PageToken(**_unseal(text, PageToken))
    except (TypeError, ValueError) as error:
        raise errors.invalid("Invalid page token value.") from error
    if token.query != query:
        raise errors.invalid("Invalid page token value.")
    return token


def _unseal(text: str, kind: type[SyncToken | PageToken]) -> model.Json:
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
    if zlib.crc32(sealed[4:]).to_bytes(4) != sealed[:4]:
        raise ValueError(text)
    return dict(zip(kind.__slots__, json.loads(sealed[4:]), strict=True))
