"""One connection: bring both sides in step inside the window, at first and in repairs.

Lists both sides in full and queues a look at each record that is not settled. Nothing
is deleted because a list did not show it: whoever looks at it reads it first.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, messages, ports, scope
from shared.domain.messages import Message, Trigger
from shared.domain.reasons import Reason
from shared.domain.settings import Frequency, Settings
from workers import intake, parking, people, placing, polling
from workers.lists import Lists
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
            if self._is_listed_just_now(connection):
                # Found out without asking Google, since it is asked every second.
                raise errors.RecordBusyError
            people.refresh(self._services, organization)
            refused = partial(job.hold, Reason.OWNER_MUST_RECONNECT)
            with self._parking.instead_of_failing(connection, refused):
                calendar = self._known(message, connection) or self._selected(
                    connection
                )
                with self._store.try_lock(f"calendar:{calendar.id}") as held:
                    if not held:
                        raise errors.RecordBusyError
                    self._sync(job, organization, connection, calendar)

    def _is_listed_just_now(self, connection: tables.Connection) -> bool:
        with self._store.read() as work:
            calendar = work.calendars.selected_of(connection.id)
        if calendar is None:
            return False
        with self._store.try_lock(f"calendar:{calendar.id}") as is_free:
            return not is_free

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
        began_at = self._clock.now()
        lists = Lists(
            services=self._services,
            job=job,
            organization=organization,
            connection=connection,
            calendar=calendar,
            settings=settings,
            window=Window.around(self._clock.now(), settings),
        )
        is_run = job.message.trigger is Trigger.SCHEDULE
        changes = lists.changes() if is_run else None
        # What appears late in the CRM's list is found by the next run.
        skew = self._remotes.crm(organization).clock_skew() or timedelta()
        tasks_seen_until = began_at + skew - polling.OVERLAP
        if changes is not None:
            job.settle_deletions()
            with self._store.begin() as work:
                intake.advance(
                    work, calendar.id, changes, tasks_seen_until=tasks_seen_until
                )
                work.commit()
            return
        page = lists.events()
        lists.tasks()
        # Before the listed are worked on, which makes links of their own.
        lists.unlisted()
        lists.publish()
        job.settle_deletions()
        with self._store.begin() as work:
            intake.advance(
                work,
                calendar.id,
                page,
                tasks_seen_until=tasks_seen_until,
                window_until=lists.window.end,
                listed_at=began_at,
            )
            work.commit()

    def _known(
        self, message: Message, connection: tables.Connection
    ) -> tables.Calendar | None:
        """Return the calendar of a run by the clock, which asks for no list of them."""
        if message.trigger is not Trigger.SCHEDULE:
            return None
        with self._store.read() as work:
            selected = work.calendars.selected_of(connection.id)
        is_of_account = selected and selected.google_sub == connection.google_sub
        return selected if is_of_account else None

    def _selected(self, connection: tables.Connection) -> tables.Calendar:
        """Return the calendar to sync: the one chosen before, else the primary one.

        One that was chosen stays so though the list has it no more: whoever lists its
        events finds out whether it is gone.
        """
        listed = self._listed(connection)
        sub = connection.google_sub or ""
        with self._store.begin() as work:
            # Nobody chooses another one meanwhile.
            work.connections.locked(connection.id)
            for entry in listed or [_main_of(connection)]:
                _store_entry(work, connection, entry)
            of_account = work.calendars.of_account(connection.id, sub)
            if listed:
                _close_unlisted(of_account, listed)
            selected = next((c for c in of_account if c.is_selected), of_account[0])
            work.calendars.select(selected)
            work.commit()
        return selected

    def _listed(self, connection: tables.Connection) -> Sequence[ports.CalendarEntry]:
        """Return the calendars of an account; none where the list is withheld."""
        try:
            return self._remotes.google(connection).list_calendars()
        except errors.MissingScopesError:
            return ()


def _main_of(connection: tables.Connection) -> ports.CalendarEntry:
    """Return the main calendar, which is there without a list, too (fact 222)."""
    return ports.CalendarEntry(
        id=connection.google_address or _PRIMARY,
        summary=connection.google_address or _PRIMARY,
        time_zone="UTC",
        access_role="owner",
        is_primary=True,
    )


def _close_unlisted(
    known: Sequence[tables.Calendar], listed: Sequence[ports.CalendarEntry]
) -> None:
    """Let nobody choose a calendar that the account has no more."""
    ids = {entry.id for entry in listed}
    for calendar in known:
        if calendar.google_calendar_id not in ids and not calendar.is_selected:
            calendar.access_role = scope.NO_ACCESS


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
