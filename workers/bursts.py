"""Who changes so much at once that others would have to wait for it.

An import into the CRM, or a script, sends a webhook for each of its thousands of tasks.
Worked off in order, they would hold up for minutes what a person edited just now. So
beyond what a person does, an owner's changes go to the queue of first syncs, which has
threads of its own. Nothing else changes: each keeps its job, and its mail to guests.

What is new is counted apart from what was synced before: an import does not hold up its
owner's edits, nor the other way round.
"""

import threading
from collections import deque
from datetime import datetime, timedelta

MOST = 50
"""No person changes more in `SPAN`; so many are worked on at once."""

SPAN = timedelta(seconds=10)

_MOST_OWNERS = 10_000


class Bursts:
    """Counts the changes of each owner, as far as this process sees them."""

    def __init__(self) -> None:
        """Begin without any."""
        self._seen: dict[tuple[str, str, bool], deque[datetime]] = {}
        self._mutex = threading.Lock()

    def is_one(
        self, organization: str, owner_id: str, at: datetime, *, is_new: bool
    ) -> bool:
        """Count a change; tell whether its owner makes too many of them.

        `is_new`: the record was never synced. Echoes of our own writes are no changes,
        and not to be counted.
        """
        with self._mutex:
            if len(self._seen) > _MOST_OWNERS:
                self._seen.clear()
            whose = (organization, owner_id, is_new)
            seen = self._seen.setdefault(whose, deque(maxlen=MOST))
            is_full = len(seen) == MOST and abs(at - seen[0]) < SPAN
            seen.append(at)
            return is_full
