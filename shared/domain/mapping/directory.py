"""Who is who: the CRM's users and their addresses on both sides."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from shared.domain.model import Address, User


def address(email: str) -> Address:
    """Return an e-mail address in the form that is compared."""
    return Address(email.strip().lower())


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
        users = tuple(users)
        connected = [(u.email, u.google) for u in users if u.google is not None]
        return cls(
            {user.id: user for user in users},
            {google: email for email, google in connected},
            dict(connected),
        )

    def user(self, user_id: str) -> User | None:
        """Return a user, or None for one that is not known."""
        return self._users.get(user_id)

    def addresses_of(self, user_id: str) -> frozenset[Address]:
        """Return all addresses of a user, those of a stranger are none."""
        user = self.user(user_id)
        if user is None:
            return frozenset()
        return frozenset({user.email} | ({user.google} if user.google else set()))

    def in_crm(self, email: Address) -> Address:
        """Return the address under which the CRM knows whom Google calls so."""
        return self._crm.get(email, email)

    def in_google(self, email: Address) -> Address:
        """Return the address under which Google knows whom the CRM calls so."""
        return self._google.get(email, email)
