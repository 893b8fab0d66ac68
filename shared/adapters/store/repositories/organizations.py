"""Queries on organizations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import Organization


class Organizations(Repository[Organization]):
    """Queries on organizations."""

    table = Organization

    def by_name(self, name: str) -> Organization | None:
        """Return the organization of this name."""
        return self._one(select(Organization).where(Organization.name == name))

    def all(self) -> Sequence[Organization]:
        """Return all organizations by name."""
        return self._all(select(Organization).order_by(Organization.name))

    def claim_poll(
        self, organization_id: int, *, now: datetime, before: datetime
    ) -> bool:
        """Stamp a poll of the CRM as begun now, if the last began not after `before`.

        Returns False when it is not due, or another process was faster.
        """
        due = or_(
            Organization.crm_polled_at.is_(None), Organization.crm_polled_at <= before
        )
        claim = update(Organization).where(Organization.id == organization_id, due)
        return self._changed(claim.values(crm_polled_at=now)) > 0

    def claim_probe(
        self, organization_id: int, *, now: datetime, before: datetime
    ) -> bool:
        """Stamp a probe of Google as begun now, unless one was after `before`."""
        probed = Organization.probed_at
        is_due = or_(probed.is_(None), probed <= before)
        claim = update(Organization).where(Organization.id == organization_id, is_due)
        return self._changed(claim.values(probed_at=now)) > 0
