"""One calendar: what changed since its sync token, one message per changed event.

Notifications say only that something changed (fact 152). A burst of them costs at most
two lists: each raises a counter, whoever holds the calendar lists until it has caught
up, and the others are done at once.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared import metrics
from shared.adapters.store import tables
from shared.adapters.store.states import ChannelState, ConnectionState
from shared.domain import errors, messages, ports
from shared.domain.messages import Message, Queue, Trigger
from shared.domain.settings import Frequency, Settings
from workers import intake, parking
from workers.services import Services
from workers.watching import Watching

log = logging.getLogger(__name__)

_PUSH_PATIENCE = timedelta(seconds=30)
"""A change that is older than this when a poll finds it was missed by the push."""


class Pull:
    """Handles the messages that name one calendar."""

    def __init__(
        self, services: Services, parked: parking.Parking, watching: Watching
    ) -> None:
        """Take the accounts to list, and where the channels are kept."""
        self._services = services
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock
        self._parking = parked
        self._watching = watching

    def notified(self, message: Message, subject: messages.ChannelNotified) -> None:
        """List what changed on the calendar of a channel, if it is still in use."""
        with self._store.begin() as work:
            channel = work.channels.get(subject.channel_id)
            if channel is None:
                log.info("Dropped a notification of an unknown channel")
                return
            calendar = work.calendars.by_id(channel.calendar_id)
            connection = work.connections.by_id(calendar.connection_id)
            organization = work.organizations.by_id(connection.organization_id)
            settings = Settings.from_document(organization.settings)
            in_use = (
                channel.state in {ChannelState.OPENING, ChannelState.OPEN}
                and calendar.is_selected
                and connection.state == ConnectionState.ACTIVE
            )
            if in_use:
                channel.last_notified_at = self._clock.now()
                work.calendars.request(calendar.id)
                work.commit()
        if not in_use:
            self._watching.stop_stray(channel, subject.resource_id)
        elif settings.frequency is Frequency.REALTIME:
            self._catch_up(message, calendar.id)

    def calendar(self, message: Message, subject: messages.CalendarDue) -> None:
        """List what changed on a calendar."""
        with self._store.begin() as work:
            work.calendars.request(subject.calendar_id)
            work.commit()
        self._catch_up(message, subject.calendar_id)

    def _catch_up(self, message: Message, calendar_id: int) -> None:
        while self._is_wanted(calendar_id):
            with self._store.try_lock(f"calendar:{calendar_id}") as held:
                if not held:
                    # Whoever holds it looks for wishes again before it is through.
                    return
                while self._list_if_wanted(message, calendar_id):
                    pass

    def _is_wanted(self, calendar_id: int) -> bool:
        with self._store.read() as work:
            requested, done = work.calendars.counters(calendar_id)
        return requested > done

    def _list_if_wanted(self, message: Message, calendar_id: int) -> bool:
        with self._store.read() as work:
            calendar = work.calendars.by_id(calendar_id)
            upto = calendar.requested
            if upto == calendar.done:
                return False
            connection = work.connections.by_id(calendar.connection_id)
        if connection.state == ConnectionState.ACTIVE and calendar.sync_token:
            with self._parking.instead_of_failing(connection.id):
                self._list(message, connection, calendar)
        # Else the sync that follows a connect lists everything.
        with self._store.begin() as work:
            work.calendars.mark_done(calendar_id, upto)
            work.commit()
        return True

    def _list(
        self,
        message: Message,
        connection: tables.Connection,
        calendar: tables.Calendar,
    ) -> None:
        google = self._remotes.google(connection)
        calendar_id, token = calendar.google_calendar_id, calendar.sync_token
        try:
            page = google.list_events(calendar_id, sync_token=token)
            with intake.Job(self._services, message, connection) as job:
                self._take_in(page, job, calendar)
                while page.next_page_token is not None:
                    page = google.list_events(
                        calendar_id, sync_token=token, page_token=page.next_page_token
                    )
                    self._take_in(page, job, calendar)
        except errors.SyncTokenExpiredError:
            self._repair(message, connection, calendar)
        else:
            # Only now: what is lost before is listed again (fact 6).
            intake.advance(self._store, calendar.id, page)

    def _take_in(
        self, page: ports.EventPage, job: intake.Job, calendar: tables.Calendar
    ) -> None:
        now = self._clock.now()
        with self._store.begin() as work:
            seen = intake.take_in(work, calendar, page.events, now)
            is_watched = bool(work.channels.open_of(calendar.id))
            work.commit()
        changed = [each for each in seen if not each.is_settled]
        job.publish(Queue.RECORDS, [each.due(calendar.id) for each in changed])
        if job.message.trigger is Trigger.SCHEDULE and is_watched:
            self._note_missed(calendar, changed, now)

    def _note_missed(
        self, calendar: tables.Calendar, changed: Sequence[intake.Seen], now: datetime
    ) -> None:
        """Count what the channel should have told us, and open another if it did not.

        A channel can be dead long before it expires (failure F37).
        """
        missed = [each for each in changed if each.is_older_than(now - _PUSH_PATIENCE)]
        if missed:
            log.warning("The push missed changes on calendar %s", calendar.id)
            metrics.missed_by_push.inc(len(missed))
            self._watching.replace(calendar.id)

    def _repair(
        self,
        message: Message,
        connection: tables.Connection,
        calendar: tables.Calendar,
    ) -> None:
        """Have everything listed anew; nothing is deleted meanwhile (fact 20)."""
        log.warning("The sync token of calendar %s has expired", calendar.id)
        intake.publish_sync(self._services, connection, Trigger.REPAIR, message)
        with self._store.begin() as work:
            # What is notified from now on has no use for a second repair.
            work.calendars.by_id(calendar.id).sync_token = None
            work.commit()
