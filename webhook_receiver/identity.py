"""Who is calling, and what they may see."""

from dataclasses import dataclass

from flask import g

from shared.adapters.store.states import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The bearer of a token or a session; `role` is a `Role`."""

    organization_id: int
    role: str
    crm_user_id: str | None

    @property
    def is_confined(self) -> bool:
        """Tell whether only what is the caller's own may be seen."""
        return self.role not in {Role.ADMIN, Role.OPERATOR}

    def may_see(self, organization_id: int, crm_user_id: str | None) -> bool:
        """Tell whether what belongs to this user may be seen."""
        if organization_id != self.organization_id:
            return False
        if not self.is_confined:
            return True
        return crm_user_id is not None and crm_user_id == self.crm_user_id


def remember(identity: Identity) -> None:
    """Keep who is calling until the request is answered."""
    g.identity = identity


def caller() -> Identity:
    """Return who is calling; the route must have asked for somebody."""
    identity: Identity = g.identity
    return identity
