"""Who is who: the CRM's users and their addresses on both sides."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from shared.domain.model import Address, User


def address(email: str) -> Address:
    """Return an e-mail address in the form that is compared."""
    return Address(email.strip().lower())


def _normalized(user: User) -> User:
    google = address(user.google) if user.google else None
    return replace(user, email=address(user.email), google=google)


@dataclass(frozen=True, slots=True)
class Directory:
    """The users that a meeting's owner and addresses may belong to.

    A user whose Google address differs appears in the CRM with the CRM address and in
    Google with the Google address.
    """

    _users: dict[str, User] = field(default_factory=dict)
    _crm: dict[Address, Address] = field(default_factory=dict)
    _google: dict[Address, Address] = field(default_factory=dict)

    @classmethod
    def of(cls, users: Iterable[User]) -> Self:
        """Return the directory of these users."""
        known = {user.id: _normalized(user) for user in users}
        emails = {user.email for user in known.values()}
        # What is somebody's address in the CRM means that person on both sides.
        differing = {
            user.email: user.google
            for user in known.values()
            if user.google is not None and user.google not in emails
        }
        return cls(known, {google: crm for crm, google in differing.items()}, differing)

    def user(self, user_id: str) -> User | None:
        """Return a user, or None for one that is not known."""
        return self._users.get(user_id)

    def addresses_of(self, user_id: str) -> frozenset[Address]:
        """Return all addresses of a user, those of a stranger are none."""
        user = self.user(user_id)
        if user is None:
            return frozenset()
        return frozenset({user.email, user.google or user.email})

    def in_crm(self, email: Address) -> Address:
        """Return the address under which the CRM knows whom Google calls so."""
        return self._crm.get(email, email)

    def in_google(self, email: Address) -> Address:
        """Return the address under which Google knows whom the CRM calls so."""
        return self._google.get(email, email)
