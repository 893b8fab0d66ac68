"""What clients asked of the API, for tests and people to read."""

import itertools
import threading
from collections import deque

from deploy.demo.google import model

_MOST_ENTRIES = 50_000


class RequestLog:
    """The last requests, newest last; kept in memory only."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._entries: deque[model.Json] = deque(maxlen=_MOST_ENTRIES)

    def add(self, entry: model.Json) -> None:
        """Add a request under the next id."""
        with self._lock:
            self._entries.append({"id": next(self._numbers)} | entry)

    def since(self, number: int) -> list[model.Json]:
        """Return the requests with a higher id."""
        with self._lock:
            return [entry for entry in self._entries if entry["id"] > number]

    def clear(self) -> None:
        """Forget the requests; ids go on rising."""
        with self._lock:
            self._entries.clear()
