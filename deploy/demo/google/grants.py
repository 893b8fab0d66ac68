"""What the OAuth part and the Calendar part of the simulator share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Whom an access token acts for, with which scopes (URLs), by which client."""

    account: str
    scopes: frozenset[str]
    client_id: str


TokenResolver: TypeAlias = Callable[[str], Grant | None]
"""Answers the grant behind an access token, or None when the token is dead."""
