"""What happened at a simulator, for tests and people to read."""

import itertools
import json
import threading
from collections import deque

from deploy.demo import storage

_MOST_ENTRIES = 50_000


class RequestLog:
    """The last requests, newest last; kept in memory only, as text to be small."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._entries: deque[tuple[int, str]] = deque(maxlen=_MOST_ENTRIES)

    def add(self, entry: storage.Json) -> None:
        """Add a request under the next id."""
        with self._lock:
            number = next(self._numbers)
            self._entries.append((number, json.dumps({"id": number} | entry)))

    def since(self, number: int) -> list[storage.Json]:
        """Return the requests with a higher id."""
        with self._lock:
            later = itertools.takewhile(
                lambda entry: entry[0] > number, reversed(self._entries)
            )
            texts = [text for _, text in later]
        return [json.loads(text) for text in reversed(texts)]

    def clear(self) -> None:
        """Forget the requests; ids go on rising."""
        with self._lock:
            self._entries.clear()
