"""Take in what a list showed: store the copies, and queue a look at each record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Outcome
from shared.domain import errors, identifiers, mapping, messages, model, ports
from shared.domain.messages import Message, Queue, Trigger
from shared.domain.reasons import Reason
from shared.domain.settings import Settings
from workers import deletions, history
from workers.deletions import Deletion
from workers.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event of a list; `event` is None where it cannot be read.

    `is_settled`: this very state was dealt with before, say because we wrote it.
    """

    event_id: str
    event: model.Event | None
    link_id: int | None = None
    is_settled: bool = False

    def due(self, calendar_id: int) -> messages.EventDue:
        """Return the wish to look at it; what cannot be read fails by itself there."""
        return messages.EventDue(
            calendar_id=calendar_id,
            event_id=self.event_id,
            must_read=self.event is None,
        )

    def is_older_than(self, moment: datetime) -> bool:
        """Tell whether it was last changed before then."""
        changed_at = self.event.updated_at if self.event else None
        return changed_at is not None and changed_at < moment


def take_in(
    work: UnitOfWork,
    calendar: tables.Calendar,
    documents: Iterable[model.Document],
) -> list[Seen]:
    """Store the events of a page as they stand on the calendar now."""
    rows = {row["id"]: row for row in documents if isinstance(row.get("id"), str)}
    known = work.copies.among(calendar.id, list(rows))
    return [
        _take_in(work, calendar, known.get(event_id), row)
        for event_id, row in rows.items()
    ]


def _take_in(
    work: UnitOfWork,
    calendar: tables.Calendar,
    known: tables.Copy | None,
    document: model.Document,
) -> Seen:
    try:
        event = mapping.event_from_document(document, calendar_zone=calendar.time_zone)
    except errors.MappingError:
        # One broken event must not hold up its calendar.
        return Seen(event_id=document["id"], event=None)
    if known is not None and known.etag == event.etag:
        copy = known
    else:
        copy = work.copies.upsert(
            calendar.id,
            event,
            document,
            changed_at=_changed_at(known, event, calendar),
            settled=_is_only_touched(known, event, calendar),
        )
    return Seen(
        event_id=event.id,
        event=event,
        link_id=copy.link_id,
        is_settled=copy.settled_etag == copy.etag,
    )


def _is_only_touched(
    known: tables.Copy | None, event: model.Event, calendar: tables.Calendar
) -> bool:
    """Tell whether a settled occurrence is new only because its series is.

    An edit of one occurrence gives all of them another etag.
    """
    if known is None or event.recurring_event_id is None:
        return False
    before = mapping.event_from_document(
        known.document, calendar_zone=calendar.time_zone
    )
    touched = replace(before, etag=event.etag, updated_at=event.updated_at)
    return known.settled_etag == known.etag and touched == event


def _changed_at(
    known: tables.Copy | None, event: model.Event, calendar: tables.Calendar
) -> datetime | None:
    """Return when a synced field of the event last changed.

    An answer of a guest, or a reminder, moves `updated` but is no edit.
    """
    if known is None:
        return event.updated_at
    before = mapping.event_from_document(
        known.document, calendar_zone=calendar.time_zone
    )
    one, other = _meeting(before), _meeting(event)
    if one and other and not mapping.changed_fields(one, other):
        return known.changed_at
    return event.updated_at


def _meeting(event: model.Event) -> model.Meeting | None:
    nobody = mapping.Directory.of(())
    return mapping.meeting_of_event(event, directory=nobody, owner_id="")


def advance(
    work: UnitOfWork,
    calendar_id: int,
    page: ports.EventPage,
    *,
    tasks_seen_until: datetime | None = None,
    window_until: datetime | None = None,
    listed_at: datetime | None = None,
) -> None:
    """Move the cursor of a calendar behind the last page of a list.

    `tasks_seen_until` belongs to a list of both sides; `listed_at`, and where its
    window ended, to a full one.
    """
    row = work.calendars.by_id(calendar_id)
    row.sync_token = page.next_sync_token
    row.time_zone = page.time_zone
    row.access_role = page.access_role
    row.tasks_seen_until = tasks_seen_until or row.tasks_seen_until
    if listed_at is not None:
        row.listed_at = row.moved_on_at = listed_at
        row.window_until = window_until


class Job:
    """The job of a list, which expects what was published in the block.

    It is opened by the first record, or by the end of a list without any, unless that
    was asked for by a notification: until then a message that has to wait leaves no
    trace. A later attempt of the same message goes on with the job that the first one
    opened, and corrects the line of its failure.
    """

    def __init__(
        self,
        services: Services,
        message: Message,
        connection: tables.Connection | None,
        *,
        organization_id: int | None = None,
    ) -> None:
        """Take the message that asked for the list, and whose records are listed."""
        self._services = services
        self._connection_id = connection.id if connection else None
        self._organization_id = (
            connection.organization_id if connection else organization_id
        )
        self._ids: set[str] = set()
        self._deletions: list[tuple[Queue, Deletion]] = []
        self._held_because: Reason | None = None
        self._was_open = message.job_id is not None
        self.message = message

    def __enter__(self) -> Self:
        """Return the job."""
        return self

    def publish(self, queue: Queue, subjects: Sequence[messages.Subject]) -> None:
        """Queue a look at each record; returns once the broker has confirmed them."""
        if not subjects:
            return
        is_first = self.message.job_id is None
        job_id = self._open(found=len(subjects))
        due = [self._message(queue, subject, job_id) for subject in subjects]
        self._services.broker.publish(*due)
        self._ids |= {message.id for message in due}
        if is_first:
            return
        with self._services.store.begin() as work:
            work.jobs.note_found(job_id, len(due))
            work.commit()

    def publish_events(
        self, queue: Queue, calendar_id: int, seen: Sequence[Seen]
    ) -> None:
        """Queue a look at events; those deleted wait for the end of the list."""
        with self._services.store.read() as work:
            due = [(each.due(calendar_id), each.event) for each in seen]
            found = {d: deletions.of_event(work, d, event) for d, event in due}
        self._publish_unless_deleted(queue, found)

    def publish_tasks(
        self,
        queue: Queue,
        due: Sequence[tuple[messages.TaskDue, model.Document | None]],
    ) -> None:
        """Queue a look at tasks; those deleted wait for the end of the list."""
        with self._services.store.read() as work:
            found = {d: deletions.of_task(work, d, task) for d, task in due}
        self._publish_unless_deleted(queue, found)

    def _publish_unless_deleted(
        self, queue: Queue, found: Mapping[Any, Deletion | None]
    ) -> None:
        """Keep deletions until the list is complete: there may be too many."""
        self._deletions += [(queue, each) for each in found.values() if each]
        self.publish(queue, [due for due, deletion in found.items() if not deletion])

    def settle_deletions(self) -> None:
        """Queue a look at the deletions, or hold them, now that the list is complete.

        Whoever moves a cursor in the block must do so first: behind it, deletions are
        never listed again. Otherwise the end of the block does.
        """
        if not self._deletions:
            return
        now = self._services.clock.now()
        job_id = self._open()
        with self._services.store.begin() as work:
            organization = work.organizations.by_id(self._organization_id or 0)
            settings = Settings.from_document(organization.settings)
            found = [deletion for _, deletion in self._deletions]
            held = deletions.hold(work, found, settings, now)
            for queue, deletion in self._deletions:
                if deletion.link_id in held:
                    message = self._message(queue, deletion.subject, job_id)
                    self._ids.add(message.id)
                    entry = history.held_deletion(work, deletion.link_id)
                    history.record(work, message, entry, now=now)
            work.commit()
        for queue, deletion in self._deletions:
            if deletion.link_id not in held:
                self.publish(queue, [deletion.subject])
        self._deletions.clear()

    def hold(self, reason: Reason) -> None:
        """Say that the list waits for something outside of us."""
        self._held_because = reason

    def _open(self, expected: int | None = None, found: int = 0) -> int:
        if self.message.job_id is not None:
            return self.message.job_id
        with self._services.store.begin() as work:
            job = history.open_job(
                work,
                self.message,
                organization_id=self._organization_id or 0,
                connection_id=self._connection_id,
                now=self._services.clock.now(),
                expected=expected,
            )
            if found:
                work.jobs.note_found(job.id, found)
            work.commit()
        self.message = replace(self.message, job_id=job.id)
        return job.id

    def _message(self, queue: Queue, subject: messages.Subject, job_id: int) -> Message:
        # Listed again after a crash, a record has the same line in the history.
        return Message(
            id=identifiers.delivery_id(str(job_id), repr(subject)),
            queue=queue,
            subject=subject,
            trigger=self.message.trigger,
            queued_at=self.message.queued_at,
            job_id=job_id,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say how many records belong to the job, also when the list broke off."""
        if error is None:
            self.settle_deletions()
        waits = isinstance(error, errors.RecordBusyError)
        fails_elsewhere = error is not None and not self._was_open
        if not self._ids and (waits or fails_elsewhere):
            self._end_what_was_opened()
            return
        entry = None if error else self._line()
        if self.message.job_id is None and entry is None:
            # Most of what we are notified of is what we wrote ourselves.
            if self.message.trigger is not Trigger.WEBHOOK:
                self._open(expected=0)
            return
        now, job_id = self._services.clock.now(), self._open()
        has_line = entry is not None or (error is not None and self._was_open)
        with self._services.store.begin() as work:
            # An earlier attempt listed what is settled by now, and not listed again.
            done = work.items.deliveries_of_job(job_id) if self._was_open else set()
            expected = len((self._ids | done) - {self.message.id}) + has_line
            work.jobs.expect(job_id, expected, now=now)
            if entry is not None:
                history.record(work, self.message, entry, now=now)
            work.commit()

    def _end_what_was_opened(self) -> None:
        """End a job of which the next attempt of the message knows nothing."""
        job_id = self.message.job_id
        if job_id is not None and not self._was_open:
            with self._services.store.begin() as work:
                work.jobs.fail(job_id, now=self._services.clock.now())
                work.commit()

    def _line(self) -> history.Entry | None:
        """Return the line of the list itself, if it has something to say."""
        if self._held_because is not None:
            outcome, reason = Outcome.HELD, self._held_because
        elif self.message.attempt > 1:
            outcome, reason = Outcome.UNCHANGED, Reason.UNCHANGED
        else:
            return None
        return history.Entry(
            organization_id=self._organization_id or 0,
            connection_id=self._connection_id,
            outcome=outcome,
            reason=reason,
            action="list",
        )


def publish_sync(
    services: Services,
    connection: tables.Connection,
    trigger: Trigger,
    because_of: Message,
) -> None:
    """Queue a sync of a whole connection."""
    services.broker.publish(
        Message(
            id=identifiers.delivery_id(because_of.id, "sync", str(connection.id)),
            queue=Queue.BACKFILL,
            subject=messages.ConnectionDue(connection_id=connection.id),
            trigger=trigger,
            queued_at=because_of.queued_at,
        )
    )
