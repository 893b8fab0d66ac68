"""How the sync of an organization is doing."""

from datetime import datetime, timedelta
from http import HTTPMethod

from shared.domain import errors
from webhook_receiver import identity
from webhook_receiver.api import dead_letters, routes, shapes
from webhook_receiver.services import Services

WINDOW = timedelta(hours=1)


class ChannelsDocument(shapes.Document):
    """Watch channels, by whether Google still notifies through them."""

    open: int
    expired: int


class RecentJobsDocument(shapes.Document):
    """What the jobs that began since then add up to."""

    since: datetime
    jobs: int
    processed: int
    conflicts: int
    errors: int


class HealthDocument(shapes.Document):
    """How the sync is doing; `queues` is null while the broker does not answer."""

    queues: dict[str, int] | None
    connections: dict[str, int]
    channels: ChannelsDocument
    open_conflicts: int
    held_deletions: int
    dead_letters: int
    recent: RecentJobsDocument


class Health:
    """The calls about health."""

    def __init__(self, services: Services) -> None:
        """Take the store and the broker."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/health",
            self.read_health,
            roles=routes.OPERATION,
            answer=HealthDocument,
        )

    def read_health(self) -> HealthDocument:
        """Return the depths of all queues, and the organization's counts."""
        organization_id = identity.caller().organization_id
        now = self._clock.now()
        queues = self._depths()
        with self._store.read() as work:
            live, expired = work.channels.count_open(organization_id, now=now)
            totals = work.jobs.totals_since(organization_id, now - WINDOW)
            return HealthDocument(
                queues=queues,
                connections=work.connections.count_by_state(organization_id),
                channels=ChannelsDocument(open=live, expired=expired),
                open_conflicts=work.conflicts.count_open(organization_id),
                held_deletions=work.held_deletions.count_waiting(organization_id),
                dead_letters=work.dead_letters.count(
                    organization_id, with_nobodys=dead_letters.sees_nobodys()
                ),
                recent=RecentJobsDocument(
                    since=now - WINDOW,
                    jobs=totals.jobs,
                    processed=totals.processed,
                    conflicts=totals.conflicts,
                    errors=totals.errors,
                ),
            )

    def _depths(self) -> dict[str, int] | None:
        try:
            return dict(self._broker.depths())
        except errors.BrokerConnectionError:
            return None
