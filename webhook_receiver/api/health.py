"""How the sync of an organization is doing."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPMethod
from typing import Self

from shared.adapters.store import UnitOfWork
from shared.adapters.store.repositories.activity import HOUR, Arrival, Hour
from shared.domain import errors
from shared.domain.messages import Trigger
from shared.domain.settings import Frequency, Settings
from webhook_receiver import identity, survey
from webhook_receiver.api import dead_letters, routes, shapes
from webhook_receiver.services import Services

WINDOW = timedelta(hours=1)
HOURS = 7 * 24

_KEPT = timedelta(minutes=1)
"""For how long what was counted is shown again."""
_MOST_COUNTED = 1000
_PUSHED_WITHIN = timedelta(days=1)
_MOST_ARRIVALS = 500
"""Enough for a median; more would make the answer slow, and no truer."""
_PATIENCE = timedelta(seconds=30)
"""A change that is older when a poll finds it was missed, as in `workers.pull`."""


class ChannelsDocument(shapes.Document):
    """Watch channels, by whether Google still notifies through them.

    `expiring` are open ones that end within a day, and should have been replaced.
    """

    open: int
    expiring: int
    expired: int


class PushDocument(shapes.Document):
    """How changes made in Google arrived within a day, by the newest of them.

    `median_seconds` and `slow_seconds` are from an edit until the CRM has it: half of
    the pushed changes, and nine in ten, took no longer. `missed` were not pushed.
    """

    arrived: int
    missed: int
    median_seconds: float | None
    slow_seconds: float | None

    @classmethod
    def of(cls, arrivals: Sequence[Arrival]) -> Self:
        """Return what single arrivals add up to."""
        pushed = [a for a in arrivals if a.trigger == Trigger.WEBHOOK]
        missed = sum(_is_missed(a) for a in arrivals if a.trigger == Trigger.SCHEDULE)
        took = sorted(
            max(0.0, (each.at - each.edited_at).total_seconds())
            for each in pushed
            if each.edited_at is not None
        )
        return cls(
            arrived=len(pushed) + missed,
            missed=missed,
            median_seconds=round(statistics.median(took), 1) if took else None,
            slow_seconds=round(took[len(took) * 9 // 10], 1) if took else None,
        )


class RecentJobsDocument(shapes.Document):
    """What the jobs that began since then add up to."""

    since: datetime
    jobs: int
    processed: int
    conflicts: int
    errors: int


class HealthDocument(shapes.Document):
    """How the sync is doing; `queues` is null while the broker does not answer.

    `push` is null where changes are not followed at once.
    """

    queues: dict[str, int] | None
    connections: dict[str, int]
    channels: ChannelsDocument
    open_conflicts: int
    held_deletions: int
    dead_letters: int
    recent: RecentJobsDocument
    push: PushDocument | None


class HourDocument(shapes.Document):
    """How many changes were written to each side in an hour, and how many failed."""

    at: datetime
    to_google: int
    to_crm: int
    errors: int

    @classmethod
    def of(cls, hour: Hour) -> Self:
        """Return an hour as the API shows it."""
        return cls(
            at=hour.at,
            to_google=hour.to_google,
            to_crm=hour.to_crm,
            errors=hour.errors,
        )


class ActivityDocument(shapes.Document):
    """The hours of the last week, the present one at the end."""

    hours: list[HourDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """What was counted, and when: a large organization's week takes half a second."""

    began_at: datetime
    document: ActivityDocument


class Health:
    """The calls about health."""

    def __init__(self, services: Services) -> None:
        """Take the store and the broker."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock
        self._counted: dict[int, _Counted] = {}

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/health",
            self.read_health,
            roles=routes.OPERATION,
            answer=HealthDocument,
        )
        api.add(
            HTTPMethod.GET,
            "/activity",
            self.read_activity,
            roles=routes.OPERATION,
            answer=ActivityDocument,
        )

    def read_health(self) -> HealthDocument:
        """Return the depths of all queues, and the organization's counts."""
        organization_id = identity.caller().organization_id
        now = self._clock.now()
        queues = self._depths()
        with self._store.read() as work:
            counts = survey.take(work, organization_id, now)
            totals = work.jobs.totals_since(organization_id, now - WINDOW)
            return HealthDocument(
                queues=queues,
                connections=dict(counts.connections),
                channels=ChannelsDocument(
                    open=counts.open_channels,
                    expiring=counts.expiring_channels,
                    expired=counts.expired_channels,
                ),
                open_conflicts=counts.open_conflicts,
                held_deletions=counts.held_deletions,
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
                push=_push(work, organization_id, now),
            )

    def read_activity(self) -> ActivityDocument:
        """Return what was done in each hour of the last week."""
        now = self._clock.now()
        last = now.replace(minute=0, second=0, microsecond=0)
        organization_id = identity.caller().organization_id
        known = self._counted.get(organization_id)
        if known is not None and known.began_at <= now < known.began_at + _KEPT:
            return known.document
        with self._store.read() as work:
            hours = work.activity.by_hour(
                organization_id, since=last - (HOURS - 1) * HOUR, hours=HOURS
            )
        document = ActivityDocument(hours=[HourDocument.of(hour) for hour in hours])
        if len(self._counted) >= _MOST_COUNTED:
            self._counted.clear()
        self._counted[organization_id] = _Counted(began_at=now, document=document)
        return document

    def _depths(self) -> dict[str, int] | None:
        try:
            return dict(self._broker.depths())
        except errors.BrokerConnectionError:
            return None


def _push(work: UnitOfWork, organization_id: int, now: datetime) -> PushDocument | None:
    organization = work.organizations.by_id(organization_id)
    settings = Settings.from_document(organization.settings)
    if settings.frequency is not Frequency.REALTIME:
        return None
    arrivals = work.activity.arrivals(
        organization_id, since=now - _PUSHED_WITHIN, limit=_MOST_ARRIVALS
    )
    return PushDocument.of(arrivals)


def _is_missed(arrival: Arrival) -> bool:
    edited = arrival.edited_at
    return edited is not None and arrival.at - edited > _PATIENCE
