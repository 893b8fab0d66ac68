"""Queries on held deletions."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select

from shared.adapters.store.repositories.repository import Page, Repository, of
from shared.adapters.store.states import ConnectionState, LinkState
from shared.adapters.store.tables import Calendar, Connection, HeldDeletion, Link
from shared.domain.reconcile import Hold

_WAITS = (
    HeldDeletion.state == Hold.WAITING,
    exists().where(Link.held_deletion_id == HeldDeletion.id),
)
"""Of one whose records were all dealt with since, nothing is left to decide."""


_STATE_OF = (
    select(Link.id, HeldDeletion.state)
    .outerjoin(HeldDeletion, Link.held_deletion_id == HeldDeletion.id)
    .where(Link.id == bindparam("link_id"))
)


class HeldDeletions(Repository[HeldDeletion]):
    """Queries on held deletions."""

    table = HeldDeletion

    def page(
        self, organization_id: int, *, limit: int, cursor: str | None = None
    ) -> Page[HeldDeletion]:
        """Return what waits for an admin of the organization, newest first."""
        query = select(HeldDeletion).where(
            HeldDeletion.organization_id == organization_id, *_WAITS
        )
        return self._newest_first(query, limit=limit, cursor=cursor)

    def locked(self, held_id: int) -> HeldDeletion | None:
        """Return one as it is now; others wait to change it until we are done."""
        query = select(HeldDeletion).where(HeldDeletion.id == held_id)
        return self._one(query.with_for_update())

    def passed_on(self, held: HeldDeletion, connection_id: int) -> HeldDeletion:
        """Return what another connection has of a held deletion; adds it if need be."""
        query = select(HeldDeletion).where(
            HeldDeletion.connection_id == connection_id,
            HeldDeletion.side == held.side,
            HeldDeletion.state == held.state,
            HeldDeletion.created_at == held.created_at,
        )
        return self._first(query) or self.add(
            HeldDeletion(
                organization_id=held.organization_id,
                connection_id=connection_id,
                side=held.side,
                state=held.state,
                created_at=held.created_at,
                decided_at=held.decided_at,
            )
        )

    def count_waiting(self, organization_id: int | None) -> int:
        """Return how many wait for an admin; without an organization, of any."""
        mine = of(HeldDeletion.organization_id, organization_id)
        return self._count(mine, *_WAITS)

    def oldest_waiting(self) -> datetime | None:
        """Return since when the longest waiting one of all has waited."""
        query = select(func.min(HeldDeletion.created_at)).where(*_WAITS)
        return self._session.execute(query).scalar_one()

    def state_of(self, link_id: int) -> str | None:
        """Return how far the deletion of a link's record is, if one is held.

        Raises `LookupError` if the link is not there any more.
        """
        found = self._session.execute(_STATE_OF, {"link_id": link_id}).one_or_none()
        if found is None:
            message = f"link {link_id} is gone"
            raise LookupError(message)
        return str(found.state) if found.state is not None else None

    def links_of(self, held_id: int) -> Sequence[Link]:
        """Return the links whose records were deleted."""
        return self.links_of_each([held_id])[held_id]

    def links_of_each(self, held_ids: Collection[int]) -> dict[int, list[Link]]:
        """Return the links of several held deletions, by their ids."""
        found: dict[int, list[Link]] = {held_id: [] for held_id in held_ids}
        query = select(Link).where(Link.held_deletion_id.in_(held_ids))
        for link in self._session.scalars(query.order_by(Link.id)):
            if link.held_deletion_id is not None:
                found[link.held_deletion_id].append(link)
        return found

    def decided_before(self, moment: datetime, *, limit: int = 100) -> Sequence[Link]:
        """Return links whose deletion was decided on, which nobody carried out since.

        The longest untouched first. What waits for its user, or is detached, is looked
        at once that changes.
        """
        query = (
            select(Link)
            .join(HeldDeletion, HeldDeletion.id == Link.held_deletion_id)
            .join(Calendar, Calendar.id == Link.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                HeldDeletion.decided_at < moment,
                Link.updated_at < moment,
                Link.state.in_([LinkState.ACTIVE, LinkState.PENDING]),
                Connection.state == ConnectionState.ACTIVE,
            )
            .order_by(Link.updated_at, Link.id)
        )
        return self._session.scalars(query.limit(limit)).all()
