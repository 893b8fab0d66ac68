"""The metrics that are read, not counted: what waits, and what state it is in.

Every receiver shows all of it, read at most four times a minute; so the value is `max`
over receivers. A source that does not answer soon is left out, and said to be down.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.adapters.store import UnitOfWork
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, ports
from shared.domain.access import Problem
from shared.domain.settings import Frequency, Settings
from webhook_receiver import survey
from webhook_receiver.services import Services

log = logging.getLogger(__name__)

_KEPT = timedelta(seconds=15)
"""For how long what was read is shown again."""

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What waits for somebody's decision, of one kind."""

    waiting: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What the database says."""

    at: datetime
    counts: survey.Survey
    problems: Mapping[str, int]
    missing_channels: int
    dead_letters: int
    held: Mapping[str, _Held]


class Gauges(Collector):
    """Reads them from the database and the broker, beside the request."""

    def __init__(self, services: Services, *, patience_seconds: float) -> None:
        """Take where to read, and how long to wait for that."""
        self._store = services.store
        self._clock = services.clock
        self._pool = pool = ThreadPoolExecutor(2, "gauges")
        self._database = _Source(
            self._read_database, services.clock, pool, patience_seconds
        )
        self._broker = _Source(
            services.broker.depths, services.clock, pool, patience_seconds
        )

    def close(self) -> None:
        """Wait for what is being read, and read nothing more."""
        self._pool.shutdown()

    def registry(self) -> CollectorRegistry:
        """Return a registry with nothing but these."""
        alone = CollectorRegistry()
        alone.register(self)
        return alone

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name them without reading anything."""
        yield from families().values()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return all that can be read."""
        shown = families()
        depths, stored = self._broker.latest(), self._database.latest()
        up = shown["up"]
        up.add_metric(["broker"], depths is not None)
        up.add_metric(["database"], stored is not None)
        for queue, depth in (depths or {}).items():
            shown["queue_messages"].add_metric([queue], depth)
        if stored is not None:
            _show(stored, shown)
        yield from shown.values()

    def _read_database(self) -> _Stored:
        now = self._clock.now()
        with self._store.read() as work:
            return _Stored(
                at=now,
                counts=survey.take(work, None, now),
                problems=work.connections.count_by_problem(),
                missing_channels=_missing_channels(work, now),
                dead_letters=work.dead_letters.count(None),
                held=_held(work),
            )


def _missing_channels(work: UnitOfWork, now: datetime) -> int:
    realtime = [
        row.id
        for row in work.organizations.all()
        if Settings.from_document(row.settings).frequency is Frequency.REALTIME
    ]
    return work.channels.count_missing(realtime, now=now)


def _held(work: UnitOfWork) -> Mapping[str, _Held]:
    return {
        "conflict": _Held(
            waiting=work.conflicts.count_open(None),
            oldest_at=work.conflicts.oldest_open(),
        ),
        "deletion": _Held(
            waiting=work.held_deletions.count_waiting(None),
            oldest_at=work.held_deletions.oldest_waiting(),
        ),
    }


def families() -> Mapping[str, GaugeMetricFamily]:
    """Return the gauges without their values, by name, without our prefix."""
    described = {
        "up": ("Whether the source of these gauges answers.", ["source"]),
        "queue_messages": ("Messages ready in each queue.", ["queue"]),
        "dead_letters": ("Dead letters that wait for a decision.", []),
        "connections": ("Connections of users.", ["state"]),
        "connection_problems": ("Connections that something ails.", ["problem"]),
        "channels": ("Watch channels.", ["state"]),
        "held_work": ("Decisions that wait for somebody.", ["kind"]),
        "held_work_oldest_seconds": ("For how long the oldest has waited.", ["kind"]),
    }
    return {
        name: GaugeMetricFamily(f"calendar_sync_{name}", text, labels=labels)
        for name, (text, labels) in described.items()
    }


def _show(stored: _Stored, shown: Mapping[str, GaugeMetricFamily]) -> None:
    shown["dead_letters"].add_metric([], stored.dead_letters)
    counts = stored.counts
    for connected in ConnectionState:
        number = counts.connections.get(connected, 0)
        shown["connections"].add_metric([connected], number)
    for problem in Problem:
        number = stored.problems.get(problem, 0)
        shown["connection_problems"].add_metric([problem], number)
    channels = {
        "open": counts.open_channels - counts.expiring_channels,
        "expiring": counts.expiring_channels,
        "expired": counts.expired_channels,
        "missing": stored.missing_channels,
    }
    for state, number in channels.items():
        shown["channels"].add_metric([state], number)
    for kind, held in stored.held.items():
        shown["held_work"].add_metric([kind], held.waiting)
        waited = stored.at - (held.oldest_at or stored.at)
        age = shown["held_work_oldest_seconds"]
        age.add_metric([kind], waited.total_seconds())


class _Source(Generic[Read]):
    """Something that is read now and then, and may be away; safe from any thread."""

    def __init__(
        self,
        read: Callable[[], Read],
        clock: ports.Clock,
        pool: ThreadPoolExecutor,
        patience_seconds: float,
    ) -> None:
        self._read = read
        self._clock = clock
        self._pool = pool
        self._patience_seconds = patience_seconds
        self._mutex = threading.Lock()
        self._reading: Future[Read] | None = None
        self._began_at: datetime | None = None

    def latest(self) -> Read | None:
        """Return what was read last; None if it cannot be read, or not soon."""
        reading = self._current()
        wait([reading], timeout=self._patience_seconds)
        if not reading.done():
            return None
        try:
            return reading.result()
        except errors.SyncError as error:
            log.warning("Could not read the gauges: %s", error)
            return None

    def _current(self) -> Future[Read]:
        now = self._clock.now()
        with self._mutex:
            reading = self._reading
            # One that hangs holds a thread; no other is spent on it.
            if reading is None or (reading.done() and self._is_old(now)):
                reading = self._reading = self._pool.submit(self._read)
                self._began_at = now
        return reading

    def _is_old(self, now: datetime) -> bool:
        began_at = self._began_at
        return began_at is None or not began_at <= now < began_at + _KEPT
