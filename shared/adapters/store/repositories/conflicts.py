"""Queries on conflicts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from shared.adapters.store.repositories.repository import Page, Repository, of
from shared.adapters.store.states import ConflictState, ConnectionState
from shared.adapters.store.tables import Calendar, Conflict, Connection, Link

_OPEN_OF_LINK = select(Conflict).where(
    Conflict.link_id == bindparam("link_id"), Conflict.state == ConflictState.OPEN
)


class Conflicts(Repository[Conflict]):
    """Queries on conflicts."""

    table = Conflict

    def open_of_link(self, link_id: int) -> Conflict | None:
        """Return the open conflict of a link; there is one at most."""
        return self._one(_OPEN_OF_LINK, link_id=link_id)

    def locked(self, conflict_id: int) -> Conflict | None:
        """Return a conflict as it is now; others wait until we are done."""
        return self._one(
            select(Conflict).where(Conflict.id == conflict_id).with_for_update()
        )

    def chosen_before(
        self, moment: datetime, *, limit: int = 100
    ) -> Sequence[tuple[Conflict, Link]]:
        """Return conflicts settled by their users, with links nobody touched since.

        The longest untouched first; of connections that are active.
        """
        query = (
            select(Conflict, Link)
            .join(Link, Link.id == Conflict.link_id)
            .join(Calendar, Calendar.id == Link.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                Conflict.state == ConflictState.OPEN,
                Conflict.choice.is_not(None),
                Conflict.updated_at < moment,
                Link.updated_at < moment,
                Connection.state == ConnectionState.ACTIVE,
            )
            .order_by(Link.updated_at, Link.id)
        )
        found = self._session.execute(query.limit(limit))
        return [(conflict, link) for conflict, link in found]

    def count_open(
        self, organization_id: int | None, *, crm_user_id: str | None = None
    ) -> int:
        """Return how many conflicts of an organization, or of one user, wait.

        Without an organization, of all.
        """
        mine = [of(Conflict.organization_id, organization_id)]
        if crm_user_id is not None:
            mine.append(Conflict.crm_user_id == crm_user_id)
        return self._count(*mine, Conflict.state == ConflictState.OPEN)

    def oldest_open(self) -> datetime | None:
        """Return since when the longest waiting conflict of all has waited."""
        is_open = Conflict.state == ConflictState.OPEN
        query = select(func.min(Conflict.created_at)).where(is_open)
        return self._session.execute(query).scalar_one()

    def users(self, organization_id: int, *, limit: int) -> Sequence[str]:
        """Return the ids of users who have, or had, a conflict."""
        mine = Conflict.organization_id == organization_id
        query = select(Conflict.crm_user_id).where(mine).distinct()
        named = query.order_by(Conflict.crm_user_id).limit(limit)
        return self._session.scalars(named).all()

    def resolve(self, link_id: int, *, now: datetime) -> None:
        """Note that the link's conflict, if it has an open one, is settled."""
        row = self.open_of_link(link_id)
        if row is not None:
            row.state = ConflictState.RESOLVED
            row.resolved_at = row.updated_at = now

    def resolve_lost(self, organization_id: int, *, now: datetime) -> None:
        """Note that open conflicts whose link is lost have nothing to settle."""
        is_lost = Conflict.link_id.not_in(select(Link.id))
        mine = Conflict.organization_id == organization_id
        is_open = Conflict.state == ConflictState.OPEN
        self._changed(
            update(Conflict)
            .where(mine, is_open, is_lost)
            .values(state=ConflictState.RESOLVED, resolved_at=now, updated_at=now)
        )

    def forget_before(self, moment: datetime, *, limit: int) -> int:
        """Delete conflicts that were settled before then; return how many there were.

        Open ones stay, however old.
        """
        is_settled = Conflict.state == ConflictState.RESOLVED
        old = select(Conflict.id).where(is_settled, Conflict.resolved_at < moment)
        return self._forget(old.order_by(Conflict.resolved_at), limit=limit)

    def page(
        self,
        organization_id: int,
        *,
        state: ConflictState | None = None,
        crm_user_id: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Conflict]:
        """Return the organization's conflicts, or of one user, newest first."""
        query = select(Conflict).where(Conflict.organization_id == organization_id)
        if state is not None:
            query = query.where(Conflict.state == state)
        if crm_user_id is not None:
            query = query.where(Conflict.crm_user_id == crm_user_id)
        return self._newest_first(query, limit=limit, cursor=cursor)
