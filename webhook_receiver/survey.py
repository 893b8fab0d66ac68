"""How much there is of what people watch: of one organization, or of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.adapters.store import UnitOfWork

EXPIRES_SOON = timedelta(days=1)
"""A channel that ends within this time should have been replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Counts at one moment; `expiring` channels are among the `open` ones."""

    connections: Mapping[str, int]
    open_channels: int
    expiring_channels: int
    expired_channels: int
    open_conflicts: int
    held_deletions: int


def take(work: UnitOfWork, organization_id: int | None, now: datetime) -> Survey:
    """Count what an organization has; without one, what there is."""
    live, expired = work.channels.count_open(organization_id, now=now)
    return Survey(
        connections=work.connections.count_by_state(organization_id),
        open_channels=live,
        expiring_channels=work.channels.count_expiring(
            organization_id, now=now, before=now + EXPIRES_SOON
        ),
        expired_channels=expired,
        open_conflicts=work.conflicts.count_open(organization_id),
        held_deletions=work.held_deletions.count_waiting(organization_id),
    )
