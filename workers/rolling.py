"""One calendar: let its window move on, as it does every day.

What enters the window is looked at as a first sync would; an occurrence that leaves it
keeps its task, and is not followed any more (`semantics.md`, 9).
"""

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors, messages
from shared.domain.messages import Message, Queue
from shared.domain.settings import Frequency, Settings
from workers import intake, parking, polling
from workers.series import Series
from workers.services import Services
from workers.window import Window


class Rolling:
    """Handles the messages that say that a window is due."""

    def __init__(self, services: Services, parked: parking.Parking) -> None:
        """Take both outside worlds."""
        self._services = services
        self._store = services.store
        self._parking = parked

    def calendar(self, message: Message, subject: messages.WindowDue) -> None:
        """Queue what enters the window, and let go of what leaves it."""
        with self._store.read() as work:
            calendar = work.calendars.by_id(subject.calendar_id)
            connection = work.connections.by_id(calendar.connection_id)
            organization = work.organizations.by_id(connection.organization_id)
        settings = Settings.from_document(organization.settings)
        if settings.frequency is Frequency.MANUAL:
            return  # A sync by hand brings the window of that day.
        if connection.state != ConnectionState.ACTIVE or calendar.window_until is None:
            return  # So does the sync that follows a connect.
        move = _Move(
            services=self._services,
            organization=organization,
            connection=connection,
            calendar=calendar,
            since=calendar.window_until,
            window=Window.around(self._services.clock.now(), settings),
        )
        with self._store.try_lock(f"calendar:{calendar.id}") as held:
            if not held:
                raise errors.RecordBusyError
            with self._parking.instead_of_failing(connection):
                with intake.Job(self._services, message, connection) as job:
                    move.queue_series(job)
                    move.queue_events(job)
                    move.queue_tasks(job)
                move.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """The window of one calendar moves on; until now it ended at `since`."""

    services: Services
    organization: tables.Organization
    connection: tables.Connection
    calendar: tables.Calendar
    since: datetime
    window: Window

    def queue_series(self, job: intake.Job) -> None:
        """Queue the occurrences that the series have inside the window by now."""
        series = Series(
            services=self.services,
            connection=self.connection,
            calendar=self.calendar,
            window=self.window,
        )
        with self.services.store.read() as work:
            known = work.copies.series_of(self.calendar.id)
        series.set_apart(copy.document for copy in known)
        seen = series.take_in(is_full=True)
        due = [each for each in seen if not each.is_settled]
        job.publish_events(Queue.BACKFILL, self.calendar.id, due)

    def queue_events(self, job: intake.Job) -> None:
        """Queue the events that no list has shown since, because nobody edited them."""
        calendar_id = self.calendar.id
        with self.services.store.read() as work:
            copies = work.copies.starting(calendar_id, self.since, self.window.end)
        due = [
            messages.EventDue(calendar_id=calendar_id, event_id=copy.event_id)
            for copy in copies
            # One that was passed over by other settings is settled, too.
            if copy.link_id is None and copy.series_id is None
        ]
        job.publish(Queue.BACKFILL, due)

    def queue_tasks(self, job: intake.Job) -> None:
        """Queue the user's tasks that are due in the days that are new."""
        crm, cursor = self.services.remotes.crm(self.organization), None
        while True:
            page = crm.list_tasks(
                owner_id=self.connection.crm_user_id,
                due_from=self.since,
                due_to=self.window.end,
                cursor=cursor,
            )
            with self.services.store.read() as work:
                ids = {document["id"] for document in page.tasks}
                links = work.links.of_tasks(self.organization.id, ids)
            due = [
                messages.TaskDue(
                    organization_id=self.organization.id, task_id=document["id"]
                )
                for document in page.tasks
                if not polling.is_settled(document, links.get(document["id"]))
            ]
            job.publish(Queue.BACKFILL, due)
            cursor = page.next_cursor
            if cursor is None:
                return

    def finish(self) -> None:
        """Let go of the occurrences that are left behind; store where it ends now."""
        with self.services.store.begin() as work:
            for link in work.links.passed_by(self.calendar.id, self.window.start):
                link.state = LinkState.DETACHED
            row = work.calendars.by_id(self.calendar.id)
            row.window_until = self.window.end
            work.commit()
