"""Queries on conflicts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from shared.adapters.store.repositories.repository import Page, Repository
from shared.adapters.store.states import ConflictState
from shared.adapters.store.tables import Conflict, Link


class Conflicts(Repository[Conflict]):
    """Queries on conflicts."""

    table = Conflict

    def open_of_link(self, link_id: int) -> Conflict | None:
        """Return the open conflict of a link; there is one at most."""
        return self._one(
            select(Conflict).where(
                Conflict.link_id == link_id, Conflict.state == ConflictState.OPEN
            )
        )

    def locked(self, conflict_id: int) -> Conflict | None:
        """Return a conflict as it is now; others wait until we are done."""
        return self._one(
            select(Conflict).where(Conflict.id == conflict_id).with_for_update()
        )

    def count_open(
        self, organization_id: int, *, crm_user_id: str | None = None
    ) -> int:
        """Return how many conflicts of an organization, or of one user, wait."""
        mine = [Conflict.organization_id == organization_id]
        if crm_user_id is not None:
            mine.append(Conflict.crm_user_id == crm_user_id)
        return self._count(*mine, Conflict.state == ConflictState.OPEN)

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
