"""Who changes more at once than people do."""

from collections import deque
from datetime import datetime, timedelta

MOST = 50
"""No person changes more in `SPAN`; so many are worked on at once."""

MOST_NEW = 5
"""No person makes more in `SPAN`."""

SPAN = timedelta(seconds=10)

_MOST_OWNERS = 10_000


class Bursts:
    """Counts the changes of each owner.

    Threads share it without a lock: a change that two of them miscount is one more or
    one less that is worked on at once.
    """

    def __init__(self, most: int) -> None:
        """Begin without any; more than `most` within `SPAN` are too many."""
        self._most = most
        self._seen: dict[tuple[str, str], deque[datetime]] = {}

    def is_one(self, organization: str, owner_id: str, at: datetime) -> bool:
        """Count a change; tell whether its owner makes too many of them."""
        if len(self._seen) > _MOST_OWNERS:
            self._seen.clear()
        whose = (organization, owner_id)
        seen = self._seen.setdefault(whose, deque(maxlen=self._most))
        # Looked at before it is counted, and once: another thread may count meanwhile.
        times = list(seen)
        seen.append(at)
        return len(times) == self._most and abs(at - times[0]) < SPAN
