"""Queries on orphans and duplicates, and on the searches that find them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select

from shared.adapters.store.repositories.repository import Page, Repository
from shared.adapters.store.states import OrphanState
from shared.adapters.store.tables import Orphan, Search

_REPAIRABLE = frozenset({OrphanState.FOUND, OrphanState.FAILED})


class Searches(Repository[Search]):
    """Queries on searches; an organization keeps its last one."""

    table = Search

    def request(self, organization_id: int, now: datetime) -> Search:
        """Store that a search is asked for."""
        values = {
            "organization_id": organization_id,
            "requested_at": now,
            "finished_at": None,
            "error": None,
            "unread": [],
        }
        return self._upsert(values, key=("organization_id",))

    def finish(
        self,
        organization_id: int,
        *,
        unread: Sequence[str] = (),
        error: str | None = None,
        now: datetime,
    ) -> None:
        """Store how it ended."""
        row = self.by_id(organization_id)
        row.unread, row.error, row.finished_at = list(unread), error, now


class Orphans(Repository[Orphan]):
    """Queries on orphans."""

    table = Orphan

    def replace(self, organization_id: int, rows: Iterable[Orphan]) -> None:
        """Store what a search has found, in place of what the last one had."""
        self._changed(delete(Orphan).where(Orphan.organization_id == organization_id))
        self._session.add_all(list(rows))
        self._session.flush()

    def page(
        self,
        organization_id: int,
        *,
        kind: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Orphan]:
        """Return what the last search has found."""
        query = select(Orphan).where(Orphan.organization_id == organization_id)
        if kind is not None:
            query = query.where(Orphan.kind == kind)
        return self._newest_first(query, limit=limit, cursor=cursor)

    def count_repairable(self, organization_id: int) -> dict[str, int]:
        """Return how many a repair can mend, by kind."""
        counted = (
            select(Orphan.kind, func.count(Orphan.id))
            .where(*_repairable(organization_id))
            .group_by(Orphan.kind)
        )
        found = self._session.execute(counted).all()
        return {row[0]: row[1] for row in found}

    def repairable(
        self,
        organization_id: int,
        *,
        ids: Collection[int] | None = None,
        kind: str | None = None,
    ) -> Sequence[Orphan]:
        """Return those that a repair can mend; others wait until we are done."""
        query = select(Orphan).where(*_repairable(organization_id))
        if ids is not None:
            query = query.where(Orphan.id.in_(ids))
        if kind is not None:
            query = query.where(Orphan.kind == kind)
        return self._all(query.order_by(Orphan.id).with_for_update())

    def chosen(self, organization_id: int) -> Sequence[Orphan]:
        """Return those that an admin wants repaired."""
        mine = Orphan.organization_id == organization_id
        is_chosen = Orphan.state == OrphanState.CHOSEN
        return self._all(select(Orphan).where(mine, is_chosen).order_by(Orphan.id))


def _repairable(organization_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Orphan.organization_id == organization_id,
        Orphan.repair.is_not(None),
        Orphan.state.in_(_REPAIRABLE),
    )
