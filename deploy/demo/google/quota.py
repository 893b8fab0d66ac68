"""The quota per user: units in a sliding minute (fact 171)."""

import threading
from collections import deque
from datetime import datetime, timedelta
from http import HTTPStatus

from deploy.demo.google import errors

_WINDOW = timedelta(minutes=1)


class Quota:
    """Counts units; without a limit it lets everything pass."""

    def __init__(self) -> None:
        """Start without a limit."""
        self._lock = threading.Lock()
        self._seen: dict[str, deque[datetime]] = {}
        self._limit: int | None = None
        self._status = HTTPStatus.FORBIDDEN

    def limit(
        self, per_minute_per_user: int | None, status: HTTPStatus = HTTPStatus.FORBIDDEN
    ) -> None:
        """Set the limit, or lift it with None; beyond it `status` is answered."""
        with self._lock:
            self._seen.clear()
            self._limit = per_minute_per_user
            self._status = status

    def spend(self, account: str, now: datetime, units: int = 1) -> None:
        """Count units, or raise 403 or 429 when the minute's are used up."""
        with self._lock:
            if self._limit is None:
                return
            seen = self._seen.setdefault(account, deque())
            while seen and seen[0] <= now - _WINDOW:
                seen.popleft()
            if len(seen) + units > self._limit:
                raise errors.rate_limit_exceeded(self._status)
            seen.extend([now] * units)
