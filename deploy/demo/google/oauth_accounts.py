"""The people who can sign in, as the OAuth server and the pages see them."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

_SUBJECT_DIGITS = 20


class Account(Protocol):
    """A Google account."""

    @property
    def address(self) -> str:
        """Its e-mail address, also the id of its primary calendar."""

    @property
    def name(self) -> str:
        """The person's name; may be empty."""


Directory = Callable[[], Sequence[Account]]


def subject(address: str) -> str:
    """Return the account's stable id: 21 digits, as in Google's `sub` claim."""
    number = int.from_bytes(hashlib.sha256(address.encode()).digest())
    return f"1{number % 10**_SUBJECT_DIGITS:0{_SUBJECT_DIGITS}d}"


def find(accounts: Sequence[Account], hint: str) -> Account | None:
    """Return the account that an address or a `sub` names, if there is one."""
    for account in accounts:
        if hint.casefold() == account.address.casefold():
            return account
        if hint == subject(account.address):
            return account
    return None
