"""Keeps every Google account, and every project, below Google's quota (facts 171-173).

What is spent is in the store, since all processes spend it together. Bulk work has
threads of its own and simply waits; a thread that people's edits need puts its message
off instead.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from shared import metrics
from shared.adapters.store import Store
from shared.domain import errors, ports
from shared.domain.messages import Queue
from shared.domain.quota import Lane, Quota

log = logging.getLogger(__name__)

PER_USER = Quota(per_minute=600)
PER_PROJECT = Quota(per_minute=10_000)

_PATIENCE = {
    Lane.INTERACTIVE: timedelta(milliseconds=250),
    Lane.BULK: timedelta(seconds=30),
}
"""How long a thread waits for room before its message is put off."""

_lane: ContextVar[Lane] = ContextVar("lane", default=Lane.INTERACTIVE)


@contextmanager
def lane_of(queue: Queue) -> Iterator[None]:
    """Spend what is spent in the block as work of this queue."""
    token = _lane.set(Lane.BULK if queue is Queue.BACKFILL else Lane.INTERACTIVE)
    try:
        yield
    finally:
        _lane.reset(token)


class Pacing:
    """Waits until there is room for a request; safe to use from any thread."""

    def __init__(
        self,
        store: Store,
        clock: ports.Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take where it is written down what is spent."""
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def spend(self, quotas: Mapping[str, Quota], units: int) -> None:
        """Spend units of all these quotas, by their names; wait until there is room.

        The first word of a name is what kind of quota it is.
        Raises `BudgetSpentError` when that takes longer than the lane's patience.
        """
        lane = _lane.get()
        until = self._clock.now() + _PATIENCE[lane]
        while True:
            wait = self._take(quotas, units, lane)
            if wait is None:
                return
            metrics.budget_waits.labels(lane).inc()
            if self._clock.now() + wait > until:
                raise errors.BudgetSpentError(retry_after=wait.total_seconds())
            self._sleep(wait.total_seconds())

    def _take(
        self, quotas: Mapping[str, Quota], units: int, lane: Lane
    ) -> timedelta | None:
        """Spend the units, or return how long to wait; nothing is spent then."""
        try:
            return self._take_from_store(quotas, units, lane)
        except (errors.RemoteUnavailableError, errors.RecordBusyError) as error:
            # Google says itself when it is too much: that must not stop the work.
            log.warning("Could not write down what is spent: %s", error)
            return None

    def _take_from_store(
        self, quotas: Mapping[str, Quota], units: int, lane: Lane
    ) -> timedelta | None:
        now = self._clock.now()
        used = {}
        with self._store.begin() as work:
            budgets = work.budgets.locked(quotas)
            for name, quota in quotas.items():
                row = budgets[name]
                spent = quota.spend(row.spent_until, units, lane, now)
                if isinstance(spent, timedelta):
                    return spent
                row.spent_until = spent
                used[name] = quota.used(spent, now)
            work.commit()
        for name, share in used.items():
            kind = name.partition(" ")[0]
            metrics.quota_units.labels(kind).inc(units)
            metrics.quota_used_ratio.labels(kind).observe(share)
        return None
