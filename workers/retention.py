"""What is over is kept for a while, and then goes: in small steps that block nobody.

Each step is a short transaction of its own. A turn takes a few of them; whatever is
left waits for the next turn, and a process that dies leaves nothing half done.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from shared.adapters.store import UnitOfWork
from workers.services import Services

log = logging.getLogger(__name__)

AT_ONCE = 500
"""So many rows go in one transaction."""

IN_A_TURN = 4 * AT_ONCE

PAUSE = timedelta(minutes=10)
"""For how long nobody looks again where nothing was left."""

_EXPIRED = timedelta(days=1)
"""A sign-in or a consent is of no use after minutes."""

Step = Callable[[UnitOfWork], int]
"""Deletes `AT_ONCE` rows at most; returns how many it deleted."""


class Retention:
    """Prunes what is older than `Services.kept` says; safe to run more than once."""

    def __init__(self, services: Services) -> None:
        """Take the store, and for how long what is kept in it."""
        self._store = services.store
        self._kept = services.kept
        self._rests_until: datetime | None = None

    def turn(self, now: datetime) -> None:
        """Delete what is too old by now; of very much, a part."""
        # A clock that is set back must not make the rest longer.
        if self._rests_until and now < self._rests_until <= now + PAUSE:
            return
        with self._store.try_lock("retention") as held:
            # Else another process is at it.
            if not held or self._is_done(now):
                self._rests_until = now + PAUSE

    def _is_done(self, now: datetime) -> bool:
        """Take some steps; return whether nothing is left."""
        left = IN_A_TURN
        for name, step in self._steps(now):
            pruned, deleted = 0, AT_ONCE
            while left > 0 and deleted >= AT_ONCE:
                deleted = self._take(step)
                pruned += deleted
                left -= deleted
            if pruned:
                log.info("Pruned %s: %s", name, pruned)
        return left > 0

    def _take(self, step: Step) -> int:
        with self._store.begin() as work:
            deleted = step(work)
            work.commit()
        return deleted

    def _steps(self, now: datetime) -> Iterator[tuple[str, Step]]:
        kept = self._kept
        if kept.history is not None:
            before = now - kept.history
            # What belongs to a job that runs stays, and some will never end.
            yield "jobs that never ended", partial(_endless_jobs, before)
            with self._store.read() as work:
                organizations = work.organizations.all()
            for row in organizations:
                yield "lines of the history", partial(_items, row.id, before)
            # Only now: a job goes when its last line has gone.
            yield "jobs", partial(_jobs, before)
        if kept.conflicts is not None:
            yield "settled conflicts", partial(_conflicts, now - kept.conflicts)
        if kept.dead_letters is not None:
            yield "dead letters", partial(_dead_letters, now - kept.dead_letters)
        yield "expired sign-ins and consents", partial(_expired, now - _EXPIRED)


def _items(organization_id: int, before: datetime, work: UnitOfWork) -> int:
    return work.items.forget_before(organization_id, before, limit=AT_ONCE)


def _endless_jobs(before: datetime, work: UnitOfWork) -> int:
    return work.jobs.end_begun_before(before, limit=AT_ONCE)


def _jobs(before: datetime, work: UnitOfWork) -> int:
    return work.jobs.forget_before(before, limit=AT_ONCE)


def _conflicts(before: datetime, work: UnitOfWork) -> int:
    return work.conflicts.forget_before(before, limit=AT_ONCE)


def _dead_letters(before: datetime, work: UnitOfWork) -> int:
    return work.dead_letters.forget_before(before, limit=AT_ONCE)


def _expired(before: datetime, work: UnitOfWork) -> int:
    codes = work.login_codes.forget_expired(before)
    return codes + work.oauth_states.forget_expired(before)
