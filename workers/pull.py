"""One calendar: what changed since its sync token, one message per changed event.

Notifications say only that something changed (fact 152). The first of a burst has the
calendar listed at once, the others all together a second later: each makes a wish, and
a list grants all wishes that were made before it began. More lists would spend the
quota that writing needs (fact 171), and find little but what we wrote ourselves.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared import metrics
from shared.adapters.store import tables
from shared.adapters.store.states import ChannelState, ConnectionState
from shared.domain import bursts, errors, messages, ports
from shared.domain.messages import Delay, Message, Queue, Trigger
from shared.domain.settings import Frequency, Settings
from workers import intake, parking, series
from workers.services import Services
from workers.watching import Watching
from workers.window import Window

log = logging.getLogger(__name__)

_PAUSE = timedelta(seconds=1)
"""How long a calendar is left alone after a list, in this process."""

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
        self._listed_at: dict[int, datetime] = {}

    def notified(self, message: Message, subject: messages.ChannelNotified) -> None:
        """List what changed on the calendar of a channel, if it is still in use."""
        with self._store.begin() as work:
            channel = work.channels.get(subject.channel_id)
            if channel is None:
                log.info("Dropped a notification of an unknown channel")
                return
            owned = work.calendars.with_owners(channel.calendar_id)
            calendar, connection, organization = owned
            settings = Settings.from_document(organization.settings)
            wish = None
            if _is_in_use(channel, calendar, connection):
                channel.last_notified_at = self._clock.now()
                wish = work.calendars.request(calendar.id)
                work.commit()
        if wish is None:
            self._watching.stop_stray(channel, subject.resource_id)
        elif settings.frequency is Frequency.REALTIME:
            self._grant(message, calendar.id, wish)

    def calendar(self, message: Message, subject: messages.CalendarDue) -> None:
        """List what changed on a calendar."""
        calendar_id, wish = subject.calendar_id, subject.wish
        if wish is None:
            with self._store.begin() as work:
                wish = work.calendars.request(calendar_id)
                work.commit()
        elif message.job_id is None:
            with self._store.read() as work:
                _, done = work.calendars.counters(calendar_id)
            if done >= wish:
                return  # A list that began after the wish has granted it.
        self._grant(message, calendar_id, wish)

    def _grant(self, message: Message, calendar_id: int, wish: int) -> None:
        """List the calendar, now or later."""
        if self._was_just_listed(calendar_id):
            self._put_off(message, calendar_id, wish)
            return
        with self._store.try_lock(f"calendar:{calendar_id}") as held:
            if held:
                self._list_changes(message, calendar_id)
            else:
                self._put_off(message, calendar_id, wish)

    def _was_just_listed(self, calendar_id: int) -> bool:
        listed_at = self._listed_at.get(calendar_id)
        if listed_at is None:
            return False
        # A clock that was set back must not hold up the next list until then.
        return timedelta() <= self._clock.now() - listed_at < _PAUSE

    def _put_off(self, message: Message, calendar_id: int, wish: int) -> None:
        subject = messages.CalendarDue(calendar_id=calendar_id, wish=wish)
        later = replace(message, queue=Queue.GOOGLE_CHANGES, subject=subject)
        self._services.broker.publish(later, delay=Delay.BUSY)

    def _list_changes(self, message: Message, calendar_id: int) -> None:
        self._listed_at[calendar_id] = self._clock.now()
        with self._store.read() as work:
            owned = work.calendars.with_owners(calendar_id)
        calendar, connection, organization = owned
        settings = Settings.from_document(organization.settings)
        is_synced = calendar.is_selected and calendar.sync_token
        last_page = None
        if connection.state == ConnectionState.ACTIVE and is_synced:
            with self._parking.instead_of_failing(connection):
                last_page = self._list(message, connection, calendar, settings)
        # Else the sync that follows a connect lists everything.
        with self._store.begin() as work:
            if last_page is not None:
                # Only now: what is lost before is listed again (fact 6).
                intake.advance(work, calendar_id, last_page)
            work.calendars.mark_done(calendar_id, calendar.requested)
            work.commit()

    @metrics.pull_seconds.time()
    def _list(
        self,
        message: Message,
        connection: tables.Connection,
        calendar: tables.Calendar,
        settings: Settings,
    ) -> ports.EventPage | None:
        """Take in what changed; return the last page, None where no list will do."""
        google = self._remotes.google(connection)
        calendar_id, token = calendar.google_calendar_id, calendar.sync_token
        recurring = series.Series(
            services=self._services,
            connection=connection,
            calendar=calendar,
            window=Window.around(self._clock.now(), settings),
        )
        try:
            page = google.list_events(calendar_id, sync_token=token)
            with intake.Job(self._services, message, connection) as job:
                self._take_in(page, job, calendar, recurring)
                while page.next_page_token is not None:
                    page = google.list_events(
                        calendar_id, sync_token=token, page_token=page.next_page_token
                    )
                    self._take_in(page, job, calendar, recurring)
                self._queue(recurring.take_in(is_full=False), job, calendar)
        except errors.SyncTokenExpiredError:
            self._repair(message, connection, calendar)
            return None
        return page

    def _take_in(
        self,
        page: ports.EventPage,
        job: intake.Job,
        calendar: tables.Calendar,
        recurring: series.Series,
    ) -> None:
        singles = recurring.set_apart(page.events)
        with self._store.begin() as work:
            seen = intake.take_in(work, calendar, singles)
            work.commit()
        self._queue(seen, job, calendar)

    def _queue(
        self, seen: Sequence[intake.Seen], job: intake.Job, calendar: tables.Calendar
    ) -> None:
        changed = [each for each in seen if not each.is_settled]
        # What nobody can have done by hand must not hold up what somebody did.
        queue = Queue.RECORDS if len(changed) <= bursts.MOST else Queue.BACKFILL
        job.publish_events(queue, calendar.id, changed)
        if job.message.trigger is Trigger.SCHEDULE and changed:
            self._note_missed(calendar, changed, self._clock.now())

    def _note_missed(
        self, calendar: tables.Calendar, changed: Sequence[intake.Seen], now: datetime
    ) -> None:
        """Count what the channel should have told us, and open another if it did not.

        A channel can be dead long before it expires (failure F37).
        """
        with self._store.read() as work:
            is_watched = bool(work.channels.open_of(calendar.id))
        missed = [each for each in changed if each.is_older_than(now - _PUSH_PATIENCE)]
        if missed and is_watched:
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


def _is_in_use(
    channel: tables.Channel, calendar: tables.Calendar, connection: tables.Connection
) -> bool:
    return (
        channel.state in {ChannelState.OPENING, ChannelState.OPEN}
        and calendar.is_selected
        and connection.state == ConnectionState.ACTIVE
    )
