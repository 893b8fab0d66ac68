"""One connection: bring both sides in step inside the window, at first and in repairs.

Lists both sides in full and queues a look at each record that is not settled. Nothing
is deleted because a list did not show it: whoever looks at it reads it first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors, mapping, messages, model, ports, scope
from shared.domain.messages import Message, Queue
from shared.domain.reasons import Reason
from shared.domain.settings import Frequency, Settings
from workers import intake, parking, people, placing, polling
from workers.services import Services
from workers.watching import Watching
from workers.window import Window

_PRIMARY = "primary"
"""What Google calls the main calendar of whoever asks (fact 45)."""


class Backfill:
    """Handles the messages that name one connection."""

    def __init__(
        self, services: Services, parked: parking.Parking, watching: Watching
    ) -> None:
        """Take both outside worlds, and where the channels are kept."""
        self._services = services
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock
        self._parking = parked
        self._watching = watching

    def connection(self, message: Message, subject: messages.ConnectionDue) -> None:
        """List both sides of a connection and queue what is not in step."""
        with self._store.read() as work:
            connection = work.connections.by_id(subject.connection_id)
            organization = work.organizations.by_id(connection.organization_id)
        with intake.Job(self._services, message, connection) as job:
            if connection.state != ConnectionState.ACTIVE:
                job.hold(placing.why_inactive(connection))
                return
            people.refresh(self._services, organization)
            refused = partial(job.hold, Reason.OWNER_MUST_RECONNECT)
            with self._parking.instead_of_failing(connection.id, refused):
                calendar = self._selected(connection)
                with self._store.try_lock(f"calendar:{calendar.id}") as held:
                    if not held:
                        raise errors.RecordBusyError
                    self._sync(job, organization, connection, calendar)
                self._pull_what_came_meanwhile(message, calendar.id)

    def _sync(
        self,
        job: intake.Job,
        organization: tables.Organization,
        connection: tables.Connection,
        calendar: tables.Calendar,
    ) -> None:
        settings = Settings.from_document(organization.settings)
        if settings.frequency is Frequency.REALTIME:
            # Before the list: what changes meanwhile is notified.
            self._watching.ensure(calendar.id)
        lists = _Lists(
            services=self._services,
            job=job,
            organization=organization,
            connection=connection,
            calendar=calendar,
            settings=settings,
            window=Window.around(self._clock.now(), settings),
        )
        page = lists.events()
        lists.tasks()
        lists.unlisted()
        intake.advance(
            self._store,
            calendar.id,
            page,
            window_from=lists.window.start,
            listed_at=self._clock.now(),
        )

    def _pull_what_came_meanwhile(self, message: Message, calendar_id: int) -> None:
        with self._store.read() as work:
            requested, done = work.calendars.counters(calendar_id)
        if requested > done:
            intake.publish_pull(self._services, calendar_id, message)

    def _selected(self, connection: tables.Connection) -> tables.Calendar:
        """Return the calendar to sync: the one chosen before, else the primary one."""
        entries = self._entries(connection)
        sub = connection.google_sub or ""
        with self._store.begin() as work:
            for entry in entries:
                _store_entry(work, connection, entry)
            of_account = work.calendars.of_account(connection.id, sub)
            selected = next((c for c in of_account if c.is_selected), of_account[0])
            work.calendars.select(selected)
            work.commit()
        return selected

    def _entries(self, connection: tables.Connection) -> Sequence[ports.CalendarEntry]:
        try:
            entries = self._remotes.google(connection).list_calendars()
        except errors.MissingScopesError:
            entries = ()
        if entries:
            return entries
        # The list may be withheld, the main calendar is there all the same (fact 222).
        return [
            ports.CalendarEntry(
                id=connection.google_address or _PRIMARY,
                summary=connection.google_address or _PRIMARY,
                time_zone="UTC",
                access_role="owner",
                is_primary=True,
            )
        ]


def _store_entry(
    work: UnitOfWork, connection: tables.Connection, entry: ports.CalendarEntry
) -> None:
    sub = connection.google_sub or ""
    row = work.calendars.of(connection.id, sub, entry.id)
    if row is None:
        row = work.calendars.add(
            tables.Calendar(
                connection_id=connection.id,
                google_sub=sub,
                google_calendar_id=entry.id,
                summary=entry.summary,
                time_zone=entry.time_zone,
                access_role=entry.access_role,
            )
        )
    row.summary = entry.summary
    row.time_zone = entry.time_zone
    row.access_role = entry.access_role
    row.is_primary = entry.is_primary


@dataclass(slots=True, kw_only=True)
class _Lists:
    """Both sides of one connection, listed once."""

    services: Services
    job: intake.Job
    organization: tables.Organization
    connection: tables.Connection
    calendar: tables.Calendar
    settings: Settings
    window: Window
    _event_ids: set[str] = field(default_factory=set)
    _task_ids: set[str] = field(default_factory=set)

    def events(self) -> ports.EventPage:
        """List the calendar; return the last page, with the sync token."""
        google = self.services.remotes.google(self.connection)
        calendar_id, page_token = self.calendar.google_calendar_id, None
        while True:
            page = google.list_events(
                calendar_id, page_token=page_token, time_min=self.window.start
            )
            self._take_in(page)
            page_token = page.next_page_token
            if page_token is None:
                return page

    def _take_in(self, page: ports.EventPage) -> None:
        with self.services.store.begin() as work:
            now = self.services.clock.now()
            seen = intake.take_in(work, self.calendar, page.events, now)
            due = [each for each in seen if self._is_event_due(work, each)]
            work.commit()
        self._event_ids |= {each.event_id for each in seen}
        due.sort(key=lambda each: str(each.event.when) if each.event else "")
        self.job.publish(Queue.BACKFILL, [each.due(self.calendar.id) for each in due])

    def _is_event_due(self, work: UnitOfWork, seen: intake.Seen) -> bool:
        if seen.event is None:
            return True
        link = work.links.of_event(self.calendar.id, seen.event_id)
        if link is not None:
            return not seen.is_settled or link.state != LinkState.ACTIVE
        when = seen.event.when
        is_inside = when is not None and self.window.has(when)
        return is_inside and not seen.event.is_cancelled

    def tasks(self) -> None:
        """List the user's tasks of the window."""
        crm, cursor = self.services.remotes.crm(self.organization), None
        while True:
            page = crm.list_tasks(
                owner_id=self.connection.crm_user_id,
                due_from=self.window.start,
                due_to=self.window.end,
                cursor=cursor,
            )
            with self.services.store.read() as work:
                due = [d for d in page.tasks if self._is_task_due(work, d)]
            self._task_ids |= {document["id"] for document in page.tasks}
            self.job.publish(Queue.BACKFILL, [self._task_due(d["id"]) for d in due])
            cursor = page.next_cursor
            if cursor is None:
                return

    def _is_task_due(self, work: UnitOfWork, document: model.Document) -> bool:
        link = work.links.of_task(self.organization.id, document["id"])
        if link is None or link.state != LinkState.ACTIVE:
            return True
        if link.calendar_id != self.calendar.id:
            return True  # Its event is to move here.
        if not polling.is_settled(work, self.organization.id, document):
            return True
        # The scope may have changed, which no version shows.
        task = mapping.task_from_document(document)
        return scope.why_out_of_scope(task, self.settings) is not None

    def unlisted(self) -> None:
        """Look at the links of the window whose records no list showed."""
        with self.services.store.read() as work:
            links = [
                link
                for link in work.links.live_of_calendar(self.calendar.id)
                if self._is_inside(link)
            ]
        due: list[messages.Subject] = []
        for link in links:
            if link.event_id is not None and link.event_id not in self._event_ids:
                due.append(
                    messages.EventDue(
                        calendar_id=self.calendar.id,
                        event_id=link.event_id,
                        must_read=True,
                    )
                )
            if link.task_id is not None and link.task_id not in self._task_ids:
                due.append(self._task_due(link.task_id))
        self.job.publish(Queue.BACKFILL, due)

    def _is_inside(self, link: tables.Link) -> bool:
        if link.baseline is None:
            return True
        meeting = mapping.baseline_from_document(link.baseline).meeting
        return not meeting.cancelled and self.window.has(meeting.when)

    def _task_due(self, task_id: str) -> messages.TaskDue:
        return messages.TaskDue(organization_id=self.organization.id, task_id=task_id)
