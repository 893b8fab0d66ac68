"""The two sides of the state machine: the doubles, and what else happens to records.

Tombstones may be bare, and disappear after a while; Google shows events otherwise than
they were written.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain import errors, mapping, model
from shared.domain.model import Document
from tests import clocks, fakes
from tests.property import rewriting

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
ANN = model.User(
    id="ann",
    email=model.Address("ann@crm.example"),
    google=model.Address("ann@google.example"),
    time_zone="Europe/Zurich",
)
BOB = model.User(
    id="bob",
    email=model.Address("bob@crm.example"),
    google=model.Address("bob@google.example"),
)
DIRECTORY = mapping.Directory.of([ANN, BOB])
ACME = "acme"
PRIMARY = rewriting.ACCOUNT
CALENDAR_ZONE = "America/New_York"
_BARE = ("id", "etag", "status")


class Calendar(fakes.InMemoryCalendar):
    """A calendar whose tombstones may be bare, and may be purged."""

    def __init__(self, clock: clocks.SettableClock) -> None:
        """Begin with an empty calendar that keeps the details of what is deleted."""
        super().__init__(clock, address=PRIMARY, time_zone=CALENDAR_ZONE)
        self.has_bare_tombstones = False
        self.habits = rewriting.Habits(
            zone=CALENDAR_ZONE, names_own_zone=True, backwards=False, shouts=False
        )
        self._purged: set[str] = set()

    def add(self, event_id: str, fields: Mapping[str, Any]) -> None:
        """Create an event, as its user would."""
        made = {
            "id": event_id,
            "status": "confirmed",
            "iCalUID": f"{event_id}@google.com",
            "organizer": {"email": PRIMARY, "self": True},
        }
        self._store(PRIMARY, {**made, **fields})

    def purge(self, event_id: str) -> None:
        """Forget a cancelled event, but not that its id was in use (fact 51)."""
        del self._events(PRIMARY)[event_id]
        self._purged.add(event_id)

    def all_events(self) -> list[Document]:
        """Return the events as their user sees them, cancelled ones too."""
        return list(self._events(PRIMARY).values())

    def live_events(self) -> list[Document]:
        """Return the events that are not cancelled; nobody changes them in place."""
        return [e for e in self.all_events() if e["status"] != "cancelled"]

    def dead_events(self) -> list[Document]:
        """Return the events in Google's bin."""
        return [e for e in self.all_events() if e["status"] == "cancelled"]

    def get_event(self, calendar_id: str, event_id: str) -> Document:
        """Return an event; of a cancelled one perhaps only that (facts 64-65)."""
        event = super().get_event(calendar_id, event_id)
        if event["status"] == "cancelled" and self.has_bare_tombstones:
            return {name: event[name] for name in _BARE}
        return rewriting.stored(event, self.habits)

    def insert_event(
        self, calendar_id: str, body: Document, *, send_updates: str
    ) -> Document:
        """Create an event under an id that never was in use."""
        if body["id"] in self._purged:
            raise errors.DuplicateRecordError
        return super().insert_event(calendar_id, body, send_updates=send_updates)

    def patch_event(
        self,
        calendar_id: str,
        event_id: str,
        body: Document,
        *,
        etag: str | None,
        send_updates: str,
    ) -> Document:
        """Change an event that is not locked."""
        self._refuse_if_locked(event_id)
        return super().patch_event(
            calendar_id, event_id, body, etag=etag, send_updates=send_updates
        )

    def delete_event(
        self, calendar_id: str, event_id: str, *, etag: str | None, send_updates: str
    ) -> None:
        """Cancel an event that is not locked."""
        self._refuse_if_locked(event_id)
        super().delete_event(
            calendar_id, event_id, etag=etag, send_updates=send_updates
        )

    def _refuse_if_locked(self, event_id: str) -> None:
        if self._events(PRIMARY).get(event_id, {}).get("locked"):
            message = f"{event_id} may not be written"
            raise errors.RemoteRejectedError(message)

    def recover(self) -> None:
        """Be as well as ever."""
        self._refusals, self._lost_answers = [], []


class Tasks(fakes.InMemoryCrm):
    """A CRM whose state can be seen without a call."""

    def all_tasks(self) -> list[Document]:
        """Return all tasks that ever were."""
        return list(self._tasks.values())

    def live_tasks(self) -> list[Document]:
        """Return the tasks that are not deleted; nobody changes them in place."""
        return [task for task in self.all_tasks() if not task["deleted"]]

    def dead_tasks(self) -> list[Document]:
        """Return the tasks that were deleted."""
        return [task for task in self.all_tasks() if task["deleted"]]

    def recover(self) -> None:
        """Be as well as ever."""
        self._refusals, self._lost_answers = [], []


class World:
    """Both sides, and the time that passes."""

    def __init__(self) -> None:
        """Begin with two empty sides."""
        self.clock = clocks.SettableClock(BEGIN)
        self.crm = Tasks(self.clock, users=[ANN, BOB])
        self.google = Calendar(self.clock)
        self._seen: dict[tuple[str, str], object] = {}

    def wait(self, time: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass."""
        self.clock.moment += time

    def has_tombstones(self) -> bool:
        """Tell whether anything was deleted."""
        return bool(self.crm.dead_tasks() or self.google.dead_events())

    def find(self, kind: str, record_id: str | None) -> Document | None:
        """Return a task or an event as its user sees it, if it is there."""
        records = self.crm.all_tasks() if kind == "task" else self.google.all_events()
        return next((r for r in records if r["id"] == record_id), None)

    def recover(self) -> None:
        """End all outages."""
        self.crm.recover()
        self.google.recover()

    def changes(self) -> list[tuple[str, str]]:
        """Return what both sides send notifications about since the last look."""
        now = self.versions()
        changed = [record for record in now if self._seen.get(record) != now[record]]
        self._seen = now
        return changed

    def versions(self) -> dict[tuple[str, str], object]:
        """Return the version of each record; a write of ours would raise it."""
        tasks = {("task", t["id"]): t["version"] for t in self.crm.all_tasks()}
        events = {("event", e["id"]): e["etag"] for e in self.google.all_events()}
        return {**tasks, **events}
