"""Queries on all that the store has of one user: to copy, to count, to delete it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Update,
    delete,
    exists,
    false,
    func,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from shared.adapters.store import sealed
from shared.adapters.store.repositories.ownership import (
    REMOVED,
    SHOWN,
    Owner,
    calendars,
    led,
)
from shared.adapters.store.states import ConnectionState
from shared.adapters.store.tables import (
    Base,
    Calendar,
    Conflict,
    Connection,
    Copy,
    Document,
    HeldDeletion,
    Job,
    JobItem,
    Link,
)


class Belongings:
    """Queries on what is one user's, in all tables."""

    def __init__(self, session: Session) -> None:
        """Take the session of the unit of work."""
        self._session = session

    def owner(self, organization_id: int, crm_user_id: str) -> Owner:
        """Return the user as an owner, whether anything is stored or not."""
        mine = Connection.organization_id == organization_id
        query = select(Connection.id, Connection.google_sub)
        found = self._session.execute(
            query.where(mine, Connection.crm_user_id == crm_user_id)
        ).one_or_none()
        return Owner(
            organization_id=organization_id,
            crm_user_id=crm_user_id,
            connection_id=found.id if found else None,
            google_sub=found.google_sub if found else None,
        )

    def documents(
        self, part: str, owner: Owner, *, limit: int, after: int | str | None = None
    ) -> tuple[Sequence[Document], int | str | None]:
        """Return rows of a part without their secrets, and where the next ones begin.

        `part` is one of `SHOWN`. The second value is None at the end.
        """
        table, condition = SHOWN[part]
        key = _key(table)
        query = select(table).where(condition(owner))
        if after is not None:
            query = query.where(key > after)
        rows = self._session.scalars(query.order_by(key).limit(limit)).all()
        last = getattr(rows[-1], key.name) if len(rows) == limit else None
        return [self.document(row) for row in rows], last

    @staticmethod
    def document(row: Base) -> Document:
        """Return a row as a document, without secrets and what stands for one."""
        return {
            column.name: getattr(row, column.name)
            for column in row.__table__.columns
            if not isinstance(column.type, _SECRETS)
            and column.name not in _SECRET_NAMES
        }

    def count(self, owner: Owner) -> dict[str, int]:
        """Return how many rows of each part `remove_some` would delete, if any."""
        counted = {
            part: self._session.execute(
                select(func.count()).select_from(table).where(condition(owner))
            ).scalar_one()
            for part, (table, condition) in REMOVED.items()
        }
        return {part: count for part, count in counted.items() if count}

    def shared_links(self, owner: Owner) -> Sequence[int]:
        """Return the ids of the user's links of which others have copies as well."""
        of_link = Copy.link_id == Link.id
        of_meeting = (Copy.ical_uid == Link.ical_uid) & (
            Copy.original_start == Link.original_start
        )
        others = Copy.calendar_id.not_in(calendars(owner))
        is_shared = or_(
            exists().where(of_link, others), exists().where(of_meeting, others)
        )
        query = select(Link.id).where(led(owner), is_shared)
        return self._session.scalars(query.order_by(Link.id)).all()

    def remove_some(self, part: str, owner: Owner, *, limit: int) -> int:
        """Delete rows of a part, one of `REMOVED`; return how many there were.

        Parts are deleted in their order: earlier ones refer to later ones.
        """
        table, condition = REMOVED[part]
        key = _key(table)
        found = select(key).where(condition(owner)).order_by(key).limit(limit)
        # Whoever is just adding what refers to them is done by then, and others wait.
        keys = self._session.scalars(found.with_for_update()).all()
        stays = self._let_go(table, keys)
        self._run(delete(table).where(key.in_(keys), ~stays))
        return len(keys)

    def remove_connection(self, owner: Owner) -> bool:
        """Delete the connection and its calendars; False if it is not bare by now.

        That is, if the user has connected again meanwhile, or a worker stored more.
        """
        mine = Connection.id == owner.connection_id
        theirs = Calendar.connection_id == owner.connection_id
        # Whoever refers to these rows from now on waits for us, and then finds none.
        row = self._session.scalars(
            select(Connection).where(mine).with_for_update()
        ).one_or_none()
        self._session.execute(select(Calendar.id).where(theirs).with_for_update())
        if row is None:
            return not self.count(owner)
        if row.state != ConnectionState.DISCONNECTED or self.count(owner):
            return False
        self._run(delete(Calendar).where(theirs))
        self._run(delete(Connection).where(mine))
        return True

    def _let_go(
        self, table: type[Base], keys: Sequence[int | str]
    ) -> ColumnElement[bool]:
        """Have what stays refer to these rows no longer; return which stay as well."""
        changes: list[Update | Delete] = []
        stays: ColumnElement[bool] = false()
        if table is Job:
            # It has lines about others' records, too.
            stays = exists().where(JobItem.job_id == Job.id)
            theirs = update(Job).where(Job.id.in_(keys), stays)
            changes = [theirs.values(connection_id=None)]
        elif table is Link:
            copies = update(Copy).where(Copy.link_id.in_(keys))
            conflicts = delete(Conflict).where(Conflict.link_id.in_(keys))
            changes = [copies.values(link_id=None), conflicts]
        elif table is HeldDeletion:
            links = update(Link).where(Link.held_deletion_id.in_(keys))
            changes = [links.values(held_deletion_id=None)]
        for change in changes:
            self._run(change)
        return stays

    def _run(self, statement: Update | Delete) -> None:
        # Nothing of this is in the session's mind: that need not be kept in step.
        quickly = {"synchronize_session": False}
        self._session.execute(statement, execution_options=quickly)


_SECRETS = (sealed.Encrypted, sealed.EncryptedJSON)
_SECRET_NAMES = frozenset({"sync_token", "token_hash"})


def _key(table: type[Base]) -> Any:  # noqa: ANN401 - a column of any type
    (key,) = inspect(table).primary_key
    return key
