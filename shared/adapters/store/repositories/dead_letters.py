"""Queries on dead letters."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, true

from shared.adapters.store.repositories.repository import Page, Repository
from shared.adapters.store.tables import DeadLetter


class DeadLetters(Repository[DeadLetter]):
    """Queries on dead letters; without an organization they are about all.

    `with_nobodys`: those, too, of which nobody knows whose they are.
    """

    table = DeadLetter

    def file(self, row: DeadLetter) -> DeadLetter:
        """Keep a dead message; filing the same delivery again replaces it."""
        columns = DeadLetter.__table__.columns
        names = [column.name for column in columns if not column.primary_key]
        values = {name: getattr(row, name) for name in names}
        return self._upsert(values, key=("delivery_id",))

    def page(
        self,
        organization_id: int | None,
        *,
        with_nobodys: bool = False,
        reason: str | None = None,
        queue: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[DeadLetter]:
        """Return dead letters, newest first."""
        theirs = _of(organization_id, nobodys=with_nobodys)
        query = select(DeadLetter).where(theirs, *_like(reason, queue))
        return self._newest_first(query, limit=limit, cursor=cursor)

    def by_ids(
        self,
        organization_id: int | None,
        ids: Collection[int],
        *,
        with_nobodys: bool = False,
    ) -> Sequence[DeadLetter]:
        """Return those of these dead letters that there are."""
        theirs = _of(organization_id, nobodys=with_nobodys)
        query = select(DeadLetter).where(theirs, DeadLetter.id.in_(ids))
        return self._all(query.order_by(DeadLetter.id))

    def count(
        self,
        organization_id: int | None,
        *,
        with_nobodys: bool = False,
        reason: str | None = None,
        queue: str | None = None,
    ) -> int:
        """Return how many dead letters there are."""
        theirs = _of(organization_id, nobodys=with_nobodys)
        return self._count(theirs, *_like(reason, queue))

    def count_reasons(
        self, organization_id: int, *, with_nobodys: bool = False
    ) -> Sequence[tuple[str, str, int]]:
        """Return the reasons and queues, and how many dead letters have each."""
        counted = (
            select(DeadLetter.reason, DeadLetter.queue, func.count(DeadLetter.id))
            .where(_of(organization_id, nobodys=with_nobodys))
            .group_by(DeadLetter.reason, DeadLetter.queue)
            .order_by(DeadLetter.reason, DeadLetter.queue)
        )
        rows = self._session.execute(counted)
        return [(reason, queue, number) for reason, queue, number in rows]

    def remove(self, ids: Collection[int]) -> int:
        """Delete these dead letters; return how many there were."""
        return self._changed(delete(DeadLetter).where(DeadLetter.id.in_(ids)))

    def remove_deliveries(self, ids: Collection[str]) -> int:
        """Delete the dead letters of these deliveries; return how many there were."""
        return self._changed(delete(DeadLetter).where(DeadLetter.delivery_id.in_(ids)))

    def forget_before(self, moment: datetime, *, limit: int) -> int:
        """Delete the oldest ones filed before then; return how many there were."""
        old = select(DeadLetter.id).where(DeadLetter.created_at < moment)
        return self._forget(old.order_by(DeadLetter.created_at), limit=limit)

    def forget(self, row: DeadLetter) -> bool:
        """Delete a dead letter unless it was filed anew since it was read."""
        known = (DeadLetter.id == row.id, DeadLetter.created_at == row.created_at)
        return self._changed(delete(DeadLetter).where(*known)) > 0


def _of(organization_id: int | None, *, nobodys: bool) -> ColumnElement[bool]:
    if organization_id is None:
        return true()
    theirs = DeadLetter.organization_id == organization_id
    return or_(theirs, DeadLetter.organization_id.is_(None)) if nobodys else theirs


def _like(reason: str | None, queue: str | None) -> Iterator[ColumnElement[bool]]:
    if reason is not None:
        yield DeadLetter.reason == reason
    if queue is not None:
        yield DeadLetter.queue == queue
