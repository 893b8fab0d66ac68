"""Which queue a change in the CRM goes to: people's, or the one of first syncs.

An import into the CRM, or a script, sends a webhook for each of its thousands of tasks.
Worked off in order, they would hold up for minutes what a person edited just now. So
beyond what a person does, an owner's changes go to the queue of first syncs, which has
threads of its own. Nothing else changes: each keeps its job, and its mail to guests.

Echoes of our own writes are no changes. Only the store can tell them from edits, and it
is asked only while an owner's tasks change faster than a person edits.
"""

from shared.adapters.store import Store
from shared.adapters.store.states import LinkState
from shared.domain import errors, ports
from shared.domain.bursts import MOST, MOST_NEW, Bursts
from shared.domain.messages import Queue, TaskChanged


class Crowds:
    """Tells what people change from what programs do, as this process sees it."""

    def __init__(self, store: Store, clock: ports.Clock) -> None:
        """Take where links are, and what the time is."""
        self._store = store
        self._clock = clock
        # An import does not hold up its owner's edits, nor the other way round.
        self._new = Bursts(MOST_NEW)
        self._edits = Bursts(MOST)
        self._changes = Bursts(MOST)

    def queue_of(self, change: TaskChanged, *, has_event: bool) -> Queue:
        """Return where a change belongs; `has_event`: the task names an event."""
        if change.owner_id is None or not self._is_of_one(change, has_event=has_event):
            return Queue.CRM_CHANGES
        return Queue.BACKFILL

    def _is_of_one(self, change: TaskChanged, *, has_event: bool) -> bool:
        whose = (change.organization, change.owner_id or "")
        now = self._clock.now()
        if change.version == 1:
            # What has an event from the first is what we made for that event.
            return not has_event and self._new.is_one(*whose, now)
        if not self._changes.is_one(*whose, now) or self._is_echo(change):
            return False
        return self._edits.is_one(*whose, now)

    def _is_echo(self, change: TaskChanged) -> bool:
        try:
            with self._store.read() as work:
                organization = work.organizations.by_name(change.organization)
                if organization is None:
                    return False
                link = work.links.of_task(organization.id, change.task_id)
        except errors.RemoteUnavailableError:
            # Webhooks are taken without the database, if need be in the slower queue.
            return False
        if link is None:
            return False
        # A pending link is that of a record being made: its writes are under way.
        is_known = (link.task_version or 0) >= change.version
        return is_known or link.state == LinkState.PENDING
