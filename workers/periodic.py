"""Timers: polls of both sides, channels, and what got stuck on the way.

Each round finds what is due and queues a message for it; the work itself is done by
whoever consumes, but for the pruning of what is too old (`workers.retention`). Several
processes may run: a claim in the database lets one of them have each piece of work.
"""

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from shared import metrics
from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction
from shared.domain import errors, identifiers, messages
from shared.domain.messages import Message, Queue, Trigger
from shared.domain.settings import Frequency, Settings
from workers import probing
from workers.guests import HELD_GUESTS_WAIT
from workers.retention import Retention
from workers.services import Services

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0

_STUCK = timedelta(minutes=2)
"""A reservation that is older than this was left behind by a crash."""

_UNLISTED = timedelta(minutes=2)
"""How long a new connection's first sync may take to begin."""

_FAILED = timedelta(hours=2)
"""What failed is tried again by itself for a while, and is not begun anew."""

_DAY = timedelta(days=1)

_INTERVALS = {
    Frequency.QUARTER_HOURLY: timedelta(minutes=15),
    Frequency.HOURLY: timedelta(hours=1),
}


class Periodic:
    """Queues what is due; safe to run more than once."""

    def __init__(self, services: Services) -> None:
        """Take what the workers need from outside."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock
        self._safety_poll = timedelta(seconds=services.safety_poll_seconds)
        self._retention = Retention(services)
        self._unsent: dict[messages.Subject, Message] = {}
        """What was claimed while the broker was away; nobody else finds it again."""

    def run(self, stop: threading.Event) -> None:
        """Do a round every second until `stop` is set."""
        told = ""
        while not stop.is_set():
            outcome, why = "broken_off", ""
            try:
                self.round()
                outcome = "finished"
            except errors.SyncError as error:
                why = str(error)
                # An outage takes many rounds, and is told once.
                if why != told:
                    log.warning("Could not finish a round: %s", why)
            except Exception:
                log.exception("A round broke off")
            told = why
            metrics.rounds.labels(outcome).inc()
            stop.wait(ROUND_SECONDS)

    def round(self) -> None:
        """Queue everything that is due now; then prune for a moment."""
        now = self._clock.now()
        for find in (
            self._polls,
            self._windows,
            self._renewals,
            self._stuck_links,
            self._decided_deletions,
            self._choices,
            self._new_ones,
            self._paused_ones,
            self._leaving_ones,
            self._held_guests,
            self._rested,
        ):
            # Complete, or not at all: what is claimed is rolled back with the finder.
            for message in list(find(now)):
                self._unsent.setdefault(message.subject, message)
            if self._unsent:
                self._broker.publish(*self._unsent.values())
                self._unsent.clear()
        # Last: nobody waits for it.
        self._retention.turn(now)

    def _polls(self, now: datetime) -> Iterator[Message]:
        """Find what is due: polls of both sides, or runs of whole connections."""
        with self._store.read() as work:
            organizations = work.organizations.all()
        for organization in organizations:
            frequency = Settings.from_document(organization.settings).frequency
            if frequency is Frequency.REALTIME:
                yield from self._safety_polls(organization, now)
            elif frequency in _INTERVALS:
                before = now - _INTERVALS[frequency]
                for calendar in self._claimed(organization, now, before):
                    run = messages.ConnectionDue(connection_id=calendar.connection_id)
                    yield _message(Queue.BACKFILL, run, now)

    def _safety_polls(
        self, organization: tables.Organization, now: datetime
    ) -> Iterator[Message]:
        before = now - self._safety_poll
        with self._store.begin() as work:
            is_due = work.organizations.claim_poll(
                organization.id, now=now, before=before
            )
            work.commit()
        if is_due:
            subject = messages.OrganizationDue(organization_id=organization.id)
            yield _message(Queue.CRM_CHANGES, subject, now)
        for calendar in self._claimed(organization, now, before):
            due = messages.CalendarDue(calendar_id=calendar.id)
            yield _message(Queue.GOOGLE_CHANGES, due, now)

    def _claimed(
        self, organization: tables.Organization, now: datetime, before: datetime
    ) -> list[tables.Calendar]:
        with self._store.begin() as work:
            claimed = [
                calendar
                for calendar in work.calendars.due_for_poll(before)
                if _is_of(work.connections.by_id(calendar.connection_id), organization)
                and work.calendars.claim_poll(calendar.id, now=now, before=before)
            ]
            work.commit()
        return claimed

    def _windows(self, now: datetime) -> Iterator[Message]:
        """Find the calendars whose window has not moved for a day."""
        before = now - _DAY
        with self._store.begin() as work:
            for calendar in work.calendars.due_to_move_on(before):
                if work.calendars.claim_move(calendar.id, now=now, before=before):
                    subject = messages.WindowDue(calendar_id=calendar.id)
                    yield _message(Queue.BACKFILL, subject, now)
            work.commit()

    def _renewals(self, now: datetime) -> Iterator[Message]:
        with self._store.begin() as work:
            for channel in work.channels.expiring(now):
                # Claimed: whoever opens its successor closes it.
                channel.renew_at = now + _STUCK
                subject = messages.WatchDue(calendar_id=channel.calendar_id)
                yield _message(Queue.BACKFILL, subject, now)
            work.commit()

    def _stuck_links(self, now: datetime) -> Iterator[Message]:
        with self._store.begin() as work:
            for link in work.links.pending_before(now - _STUCK):
                # Claimed, and not looked at again for a while.
                link.updated_at = now
                subject = _subject_of(link)
                since = link.pending_since
                if subject is not None and _is_left_behind(work, link, since, now):
                    yield _message(Queue.RECORDS, subject, now, trigger=Trigger.REPAIR)
            work.commit()

    def _decided_deletions(self, now: datetime) -> Iterator[Message]:
        """Find deletions that an admin decided on, and a crash left undone."""
        with self._store.begin() as work:
            for link in work.held_deletions.decided_before(now - _STUCK):
                link.updated_at = now
                subject = _subject_of(link)
                if subject is not None:
                    yield _message(Queue.RECORDS, subject, now, trigger=Trigger.REPAIR)
            work.commit()

    def _choices(self, now: datetime) -> Iterator[Message]:
        """Find conflicts that a user settled, and nobody was told to carry that out."""
        with self._store.begin() as work:
            for conflict, link in work.conflicts.chosen_before(now - _STUCK):
                link.updated_at = now
                subject = _subject_of(link)
                is_left = _is_left_behind(work, link, conflict.updated_at, now)
                if subject is not None and is_left:
                    yield _message(Queue.RECORDS, subject, now, trigger=Trigger.REPAIR)
            work.commit()

    def _paused_ones(self, now: datetime) -> Iterator[Message]:
        """Find connections that Google may let in again by now."""
        with self._store.begin() as work:
            yield from probing.due(work, now)
            work.commit()

    def _leaving_ones(self, now: datetime) -> Iterator[Message]:
        """Find connections whose events were to be removed, and nobody goes on."""
        with self._store.begin() as work:
            for connection in work.connections.leaving(now - _FAILED):
                connection.probed_at = now
                job = work.jobs.start(
                    organization_id=connection.organization_id,
                    connection_id=connection.id,
                    trigger=Trigger.REPAIR,
                    direction=Direction.CRM_TO_GOOGLE,
                    now=now,
                )
                yield _message(
                    Queue.BACKFILL,
                    messages.RemovalDue(connection_id=connection.id),
                    now,
                    trigger=Trigger.REPAIR,
                    job_id=job.id,
                )
            work.commit()

    def _held_guests(self, now: datetime) -> Iterator[Message]:
        """Find events whose held guests may be invited by now."""
        with self._store.begin() as work:
            for link in work.links.guests_due(now):
                link.guests_due_at = now + HELD_GUESTS_WAIT
                subject = _subject_of(link)
                if subject is not None:
                    yield _message(Queue.BACKFILL, subject, now, trigger=Trigger.RETRY)
            work.commit()

    def _rested(self, now: datetime) -> Iterator[Message]:
        """Find what was left alone for a while, and may have been edited meanwhile."""
        with self._store.begin() as work:
            for link in work.links.rested(now):
                link.quarantined_until = None
                subject = _subject_of(link)
                if subject is not None:
                    yield _message(Queue.RECORDS, subject, now, trigger=Trigger.REPAIR)
            work.commit()

    def _new_ones(self, now: datetime) -> Iterator[Message]:
        """Find connections whose first sync was never queued, or came to nothing."""
        with self._store.begin() as work:
            unlisted = work.connections.unlisted(
                now - _UNLISTED, failed_before=now - _FAILED
            )
            for connection in unlisted:
                job = work.jobs.start(
                    organization_id=connection.organization_id,
                    connection_id=connection.id,
                    trigger=Trigger.BACKFILL,
                    direction=Direction.BOTH,
                    now=now,
                )
                subject = messages.ConnectionDue(connection_id=connection.id)
                yield _message(
                    Queue.BACKFILL,
                    subject,
                    now,
                    trigger=Trigger.BACKFILL,
                    job_id=job.id,
                )
            work.commit()


def _is_of(connection: tables.Connection, organization: tables.Organization) -> bool:
    return connection.organization_id == organization.id


def _is_left_behind(
    work: UnitOfWork, link: tables.Link, since: datetime | None, now: datetime
) -> bool:
    """Tell whether nobody goes on with what was begun then.

    An attempt that came to an end has left a line in the history: it is tried again by
    itself, waits for its user, or has failed for good.
    """
    for last in work.items.history_of_link(link.id, limit=1):
        if since is None or last.at < since:
            return True
        return last.next_attempt_at is not None and last.next_attempt_at < now - _STUCK
    return True


def _subject_of(link: tables.Link) -> messages.Subject | None:
    if link.task_id is not None:
        return messages.TaskDue(
            organization_id=link.organization_id, task_id=link.task_id
        )
    if link.calendar_id is not None and link.event_id is not None:
        return messages.EventDue(calendar_id=link.calendar_id, event_id=link.event_id)
    return None


def _message(
    queue: Queue,
    subject: messages.Subject,
    now: datetime,
    *,
    trigger: Trigger = Trigger.SCHEDULE,
    job_id: int | None = None,
) -> Message:
    return Message(
        id=identifiers.delivery_id(repr(subject), now.isoformat()),
        queue=queue,
        subject=subject,
        trigger=trigger,
        queued_at=now,
        job_id=job_id,
    )
