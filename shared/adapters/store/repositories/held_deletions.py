"""Queries on held deletions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from shared.adapters.store.repositories.repository import Page, Repository
from shared.adapters.store.tables import HeldDeletion, Link
from shared.domain.reconcile import Hold


class HeldDeletions(Repository[HeldDeletion]):
    """Queries on held deletions."""

    table = HeldDeletion

    def page(
        self, organization_id: int, *, limit: int, cursor: str | None = None
    ) -> Page[HeldDeletion]:
        """Return what waits for an admin of the organization, newest first."""
        query = select(HeldDeletion).where(
            HeldDeletion.organization_id == organization_id,
            HeldDeletion.state == Hold.WAITING,
        )
        return self._newest_first(query, limit=limit, cursor=cursor)

    def locked(self, held_id: int) -> HeldDeletion | None:
        """Return one as it is now; others wait to change it until we are done."""
        query = select(HeldDeletion).where(HeldDeletion.id == held_id)
        return self._one(query.with_for_update())

    def count_waiting(self, organization_id: int) -> int:
        """Return how many wait for an admin."""
        mine = HeldDeletion.organization_id == organization_id
        return self._count(mine, HeldDeletion.state == Hold.WAITING)

    def links_of(self, held_id: int) -> Sequence[Link]:
        """Return the links whose records were deleted."""
        query = select(Link).where(Link.held_deletion_id == held_id)
        return self._session.scalars(query.order_by(Link.id)).all()

    def decided_before(self, moment: datetime, *, limit: int = 100) -> Sequence[Link]:
        """Return links whose deletion was decided on, which nobody carried out since.

        The longest untouched first.
        """
        query = (
            select(Link)
            .join(HeldDeletion, HeldDeletion.id == Link.held_deletion_id)
            .where(HeldDeletion.decided_at < moment, Link.updated_at < moment)
            .order_by(Link.updated_at, Link.id)
        )
        return self._session.scalars(query.limit(limit)).all()
