"""The people behind the ids: nothing on a page shows an id without a name beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.adapters.store import UnitOfWork, tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the CRM as pages name them."""

    id: str
    name: str
    email: str | None = None

    @classmethod
    def of(cls, user_id: str, row: tables.CrmUser | None) -> "Person":
        """Return a user, by the id alone where the CRM knows them no more."""
        if row is None:
            return cls(id=user_id, name=user_id)
        return cls(id=user_id, name=row.name or row.email, email=row.email)


def of_users(
    work: UnitOfWork, organization_id: int, user_ids: Iterable[str]
) -> Mapping[str, Person]:
    """Return people by their ids in the CRM, those who are gone included."""
    wanted = set(user_ids)
    rows = {row.user_id: row for row in work.users.among(organization_id, wanted)}
    return {id_: Person.of(id_, rows.get(id_)) for id_ in wanted}


def of_connections(
    work: UnitOfWork, organization_id: int, connection_ids: Iterable[int | None]
) -> Mapping[int, Person]:
    """Return people by the ids of their connections."""
    wanted = {id_ for id_ in connection_ids if id_ is not None}
    rows = work.connections.among(organization_id, wanted)
    named = of_users(work, organization_id, {row.crm_user_id for row in rows})
    return {row.id: named[row.crm_user_id] for row in rows}
