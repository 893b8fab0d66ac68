"""Remotes that read for real and only count what they are asked to write.

They answer writes as the CRM and Google would, so that whoever writes goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.adapters.store import Scratch, Store, tables
from shared.domain import mapping, model, ports
from workers.google_side import SILENT
from workers.remotes import Remotes


@dataclass(slots=True)
class Writes:
    """What would be written to one side."""

    created: int = 0
    updated: int = 0
    cancelled: int = 0

    def __str__(self) -> str:
        """Return it as `+1 ~2 -3`: created, updated, cancelled."""
        return f"+{self.created} ~{self.updated} -{self.cancelled}"

    def count_change(self, body: model.Document) -> None:
        """Count the change of a record."""
        if body.get("status") == "cancelled":
            self.cancelled += 1
        else:
            self.updated += 1


@dataclass(slots=True)
class Tally:
    """What would be written to both sides; guests by their addresses."""

    google: Writes = field(default_factory=Writes)
    crm: Writes = field(default_factory=Writes)
    guests: set[str] = field(default_factory=set)
    """Who is on the events that would be written."""
    mailed: set[str] = field(default_factory=set)
    """Whom Google would be asked to mail."""

    def count_guests(self, event: model.Document, send_updates: str) -> None:
        """Count the guests of an event that would be written."""
        found = {
            guest["email"].lower()
            for guest in event.get("attendees", ())
            if guest.get("email") and not guest.get("self")
        }
        self.guests |= found
        if send_updates != SILENT:
            self.mailed |= found


class Onlooking:
    """Implements `workers.remotes.Remotes` for whoever works in a scratch store.

    What the origin knows of the records that are read comes along into the scratch.
    """

    def __init__(
        self, origin: Store, remotes: Remotes, scratch: Scratch, clock: ports.Clock
    ) -> None:
        """Take the real remotes, and where the connections with the access are."""
        self._origin = origin
        self._remotes = remotes
        self._scratch = scratch
        self._clock = clock
        self._accounts: dict[int, _Account] = {}
        self._system: _System | None = None
        self.tally = Tally()

    def google(self, connection: tables.Connection) -> ports.GoogleCalendar:
        """Return the calendars of a connection's Google account."""
        if connection.id not in self._accounts:
            with self._origin.read() as work:
                real = work.connections.by_id(connection.id)
            self._accounts[connection.id] = _Account(
                self._remotes.google(real), self._scratch, self.tally, self._clock
            )
        return self._accounts[connection.id]

    def revoke(self, connection: tables.Connection) -> None:
        """Leave every grant as it is."""

    def crm(self, organization: tables.Organization) -> ports.Crm:
        """Return the CRM of the organization."""
        if self._system is None:
            with self._origin.read() as work:
                real = work.organizations.by_id(organization.id)
            self._system = _System(
                self._remotes.crm(real), self._scratch, self.tally, self._clock
            )
        return self._system


class _Account:
    """Implements `ports.GoogleCalendar`."""

    def __init__(
        self,
        real: ports.GoogleCalendar,
        scratch: Scratch,
        tally: Tally,
        clock: ports.Clock,
    ) -> None:
        self._real = real
        self._scratch = scratch
        self._tally = tally
        self._clock = clock
        self._seen: dict[str, model.Document] = {}
        self.list_calendars = real.list_calendars
        self.clock_skew = real.clock_skew

    def list_events(
        self,
        calendar_id: str,
        *,
        sync_token: str | None = None,
        page_token: str | None = None,
        time_min: datetime | None = None,
    ) -> ports.EventPage:
        page = self._real.list_events(
            calendar_id, sync_token=sync_token, page_token=page_token, time_min=time_min
        )
        self._see(page.events)
        return page

    def list_instances(
        self,
        calendar_id: str,
        series_id: str,
        *,
        time_min: datetime,
        time_max: datetime,
    ) -> Sequence[model.Document]:
        found = self._real.list_instances(
            calendar_id, series_id, time_min=time_min, time_max=time_max
        )
        self._see(found)
        return found

    def get_event(self, calendar_id: str, event_id: str) -> model.Document:
        if event_id not in self._seen:
            self._see([self._real.get_event(calendar_id, event_id)])
        return self._seen[event_id]

    def insert_event(
        self, calendar_id: str, body: model.Document, *, send_updates: str
    ) -> model.Document:
        owner = {"email": calendar_id, "self": True}
        made = {
            "status": "confirmed",
            "iCalUID": f"{body['id']}@google.com",
            "creator": owner,
            "organizer": owner,
            **body,
        }
        self._tally.google.created += 1
        self._tally.count_guests(made, send_updates)
        return self._written(made)

    def patch_event(
        self,
        calendar_id: str,
        event_id: str,
        body: model.Document,
        *,
        etag: str | None,  # noqa: ARG002 - what is read here is the present state
        send_updates: str,
    ) -> model.Document:
        before = self.get_event(calendar_id, event_id)
        after = mapping.patched(before, body)
        self._tally.google.count_change(body)
        self._tally.count_guests(before, send_updates)
        self._tally.count_guests(after, send_updates)
        return self._written(after)

    def delete_event(
        self,
        calendar_id: str,
        event_id: str,
        *,
        etag: str | None,  # noqa: ARG002 - as above
        send_updates: str,
    ) -> None:
        event = self.get_event(calendar_id, event_id)
        self._tally.google.cancelled += 1
        self._tally.count_guests(event, send_updates)
        self._written({**event, "status": "cancelled"})

    def watch(
        self,
        calendar_id: str,  # noqa: ARG002 - no channel is opened
        *,
        channel_id: str,
        token: str,  # noqa: ARG002
        ttl: timedelta,
    ) -> ports.WatchGrant:
        ends_at = self._clock.now() + ttl
        return ports.WatchGrant(resource_id=channel_id, expires_at=ends_at)

    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        pass  # None was opened.

    def _see(self, events: Iterable[model.Document]) -> None:
        known = {event["id"]: event for event in events if event.get("id")}
        self._seen |= known
        self._scratch.bring(
            task_ids={task for e in known.values() if (task := _task_of(e))},
            event_ids=known,
            ical_uids={e["iCalUID"] for e in known.values() if e.get("iCalUID")},
        )

    def _written(self, event: model.Document) -> model.Document:
        now = self._clock.now().isoformat()
        changed = {"created": now, **event, "updated": now, "etag": _next(event)}
        self._seen[event["id"]] = changed
        return changed


class _System:
    """Implements `ports.Crm`."""

    def __init__(
        self, real: ports.Crm, scratch: Scratch, tally: Tally, clock: ports.Clock
    ) -> None:
        self._real = real
        self._scratch = scratch
        self._tally = tally
        self._clock = clock
        self._seen: dict[str, model.Document] = {}
        self.list_users = real.list_users
        self.clock_skew = real.clock_skew

    def list_tasks(
        self,
        *,
        updated_since: datetime | None = None,
        owner_id: str | None = None,
        due_from: datetime | None = None,
        due_to: datetime | None = None,
        google_event_id: str | None = None,
        cursor: str | None = None,
    ) -> ports.TaskPage:
        page = self._real.list_tasks(
            updated_since=updated_since,
            owner_id=owner_id,
            due_from=due_from,
            due_to=due_to,
            google_event_id=google_event_id,
            cursor=cursor,
        )
        self._see(page.tasks)
        return page

    def get_task(self, task_id: str) -> model.Document:
        if task_id not in self._seen:
            self._see([self._real.get_task(task_id)])
        return self._seen[task_id]

    def create_task(
        self,
        body: model.Document,
        *,
        idempotency_key: str,
    ) -> model.Document:
        self._tally.crm.created += 1
        made = {**_EMPTY_TASK, "created_at": self._now(), **body}
        return self._written({**made, "id": f"preview-{idempotency_key}", "version": 0})

    def update_task(
        self,
        task_id: str,
        body: model.Document,
        *,
        version: int,  # noqa: ARG002 - what is read here is the present state
    ) -> model.Document:
        self._tally.crm.count_change(body)
        return self._written({**self.get_task(task_id), **body})

    def notify(self, user_id: str, notification: ports.Notification) -> None:
        pass  # Nothing has happened that anybody is to be told of.

    def _see(self, tasks: Iterable[model.Document]) -> None:
        known = {task["id"]: task for task in tasks}
        self._seen |= known
        named = {id_ for t in known.values() if (id_ := t.get("google_event_id"))}
        self._scratch.bring(task_ids=known, event_ids=named, ical_uids=())

    def _written(self, task: model.Document) -> model.Document:
        version = task["version"] + 1
        changed = {**task, "version": version, "updated_at": self._now()}
        self._seen[task["id"]] = changed
        return changed

    def _now(self) -> str:
        return self._clock.now().isoformat()


_EMPTY_TASK: Mapping[str, object] = {
    "status": "open",
    "description": None,
    "location": None,
    "due_at": None,
    "due_date": None,
    "duration_minutes": None,
    "duration_days": None,
    "time_zone": None,
    "attendees": [],
    "google_event_id": None,
    "google_calendar_id": None,
    "deleted": False,
}
"""What the CRM gives a task whose maker says no more (`crm-api.yaml`)."""


def _task_of(event: model.Document) -> str | None:
    properties = event.get("extendedProperties", {}).get("private", {})
    task_id: str | None = properties.get("crmTaskId")
    return task_id


def _next(event: model.Document) -> str:
    return f"{event.get('etag', '')}+"
