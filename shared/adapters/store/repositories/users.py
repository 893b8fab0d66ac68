"""Queries on the CRM's users, joined with their connections."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import or_, select

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import Connection, CrmUser
from shared.domain import model


class Users(Repository[CrmUser]):
    """Queries on the CRM's users; addresses are in lower case."""

    table = CrmUser

    def of(self, organization_id: int, user_id: str) -> CrmUser | None:
        """Return one user of an organization."""
        return self.get((organization_id, user_id))

    def by_email(self, organization_id: int, email: str) -> CrmUser | None:
        """Return the user with this address in the CRM, an active one if several."""
        return self._first(
            select(CrmUser)
            .where(CrmUser.organization_id == organization_id, CrmUser.email == email)
            .order_by(CrmUser.active.desc(), CrmUser.user_id)
        )

    def replace_all(self, organization_id: int, users: Iterable[model.User]) -> None:
        """Store the organization's users as the CRM lists them now."""
        known = {row.user_id: row for row in self._all_of(organization_id)}
        # While its pages are read, the CRM may list somebody twice.
        for user in {user.id: user for user in users}.values():
            row = known.pop(user.id, None)
            if row is None:
                row = CrmUser(organization_id=organization_id, user_id=user.id)
                self._session.add(row)
            row.email = user.email
            row.name = user.name
            row.time_zone = user.time_zone
            row.active = user.active
        for row in known.values():
            self._session.delete(row)
        self._session.flush()

    def among(
        self, organization_id: int, user_ids: Collection[str]
    ) -> Sequence[CrmUser]:
        """Return the users with one of these ids."""
        mine = CrmUser.organization_id == organization_id
        query = select(CrmUser).where(mine, CrmUser.user_id.in_(user_ids))
        return self._all(query)

    def matching(
        self, organization_id: int, *, ids: Iterable[str], addresses: Iterable[str]
    ) -> list[model.User]:
        """Return the users with one of these ids, or addresses on either side.

        `google` is the address of the Google account that is or was connected.
        """
        wanted = list(addresses)
        named = or_(
            CrmUser.user_id.in_(list(ids)),
            CrmUser.email.in_(wanted),
            Connection.google_address.in_(wanted),
        )
        theirs = (Connection.organization_id == CrmUser.organization_id) & (
            Connection.crm_user_id == CrmUser.user_id
        )
        found = self._session.execute(
            select(CrmUser, Connection.google_address)
            .outerjoin(Connection, theirs)
            .where(CrmUser.organization_id == organization_id, named)
            .order_by(CrmUser.user_id)
        )
        return [_user(row, google) for row, google in found]

    def count_of(self, organization_id: int) -> int:
        """Return how many users an organization has."""
        return self._count(CrmUser.organization_id == organization_id)

    def _all_of(self, organization_id: int) -> Iterable[CrmUser]:
        mine = CrmUser.organization_id == organization_id
        return self._all(select(CrmUser).where(mine))


def _user(row: CrmUser, google: str | None) -> model.User:
    return model.User(
        id=row.user_id,
        email=model.Address(row.email),
        name=row.name,
        time_zone=row.time_zone,
        active=row.active,
        google=model.Address(google) if google else None,
    )
