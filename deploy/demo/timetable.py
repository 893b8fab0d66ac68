"""Calls that are due later, made by a few threads at once."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_GRACE_SECONDS = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Seconds between attempts: doubling from `first`, at most `attempts` in all."""

    first: float = 1.0
    most: float = 60.0
    attempts: int = 12

    def after(self, attempt: int) -> float | None:
        """Return the wait after a failed attempt (counted from 1), or None to stop."""
        if attempt >= self.attempts:
            return None
        # Doubling for ever would outgrow what a float can hold.
        doublings = min(attempt - 1, 60)
        return float(min(self.most, self.first * 2**doublings))


class Timetable:
    """Makes calls when they are due, each on one of its threads."""

    def __init__(self, threads: int, name: str) -> None:
        """Start the threads, which wait for something to do."""
        self._wakeup = threading.Condition()
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._is_closed = False
        # A call that hangs must not hold up the end of the process.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, call: Callable[[], None], *, delay_seconds: float = 0) -> None:
        """Make a call later, without waiting; once closed, never."""
        due = time.monotonic() + delay_seconds
        with self._wakeup:
            heapq.heappush(self._waiting, (due, next(self._order), call))
            self._wakeup.notify()

    def close(self) -> None:
        """Give the calls in hand a moment to end; those that wait are not made."""
        with self._wakeup:
            self._is_closed = True
            self._wakeup.notify_all()
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))

    def _work(self) -> None:
        while call := self._next():
            try:
                call()
            except Exception:  # noqa: BLE001 -- the other calls go on
                _log.exception("A call of the timetable failed")

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next call to come due; None says that it is over."""
        with self._wakeup:
            while not self._is_closed:
                wait = None
                if self._waiting:
                    wait = self._waiting[0][0] - time.monotonic()
                    if wait <= 0:
                        return heapq.heappop(self._waiting)[2]
                self._wakeup.wait(wait)
        return None
