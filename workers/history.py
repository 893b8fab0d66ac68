"""The history: one line per record and message, with the values that were seen."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from shared import metrics
from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction, Outcome
from shared.domain import mapping, messages, model
from shared.domain.messages import Message
from shared.domain.reasons import Reason
from shared.domain.reconcile import Decision
from shared.log import bound
from workers import situation, subjects
from workers.apply import Writes
from workers.pair import Pair

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the history; `crm` and `google` are the meetings as they were seen.

    `changes` maps each changed field to its value `before` and `after`.
    """

    organization_id: int
    outcome: Outcome
    reason: str
    action: str = "none"
    connection_id: int | None = None
    link_id: int | None = None
    task_id: str | None = None
    event_id: str | None = None
    changes: dict[str, object] | None = None
    crm: dict[str, object] | None = None
    google: dict[str, object] | None = None
    error: str | None = None
    next_attempt_at: datetime | None = None


_WAITING = frozenset({Reason.MASS_DELETION})
_UNCHANGED = frozenset({Reason.UNCHANGED, Reason.ECHO, Reason.SUPERSEDED})


def describe(pair: Pair, decision: Decision, writes: Writes) -> Entry:
    """Return the line for a decision; call it before the decision is carried out."""
    return replace(
        about(pair),
        outcome=_outcome(decision, writes),
        reason=decision.reason,
        action=writes.action,
        changes=_changes(pair, decision),
    )


def waiting(pair: Pair, reason: Reason) -> Entry:
    """Return the line for work that waits for something outside of us."""
    return replace(about(pair), outcome=Outcome.HELD, reason=reason)


def held_deletion(work: UnitOfWork, link_id: int) -> Entry:
    """Return the line for a record that was deleted together with many others."""
    link = work.links.by_id(link_id)
    calendar = work.calendars.get(link.calendar_id)
    return Entry(
        organization_id=link.organization_id,
        outcome=Outcome.HELD,
        reason=Reason.MASS_DELETION,
        connection_id=calendar.connection_id if calendar else None,
        link_id=link.id,
        task_id=link.task_id,
        event_id=link.event_id,
    )


def skipped(pair: Pair, reason: Reason) -> Entry:
    """Return the line for a record that has no counterpart, and why."""
    return replace(about(pair), outcome=Outcome.SKIPPED, reason=reason)


def unchanged(pair: Pair, reason: Reason) -> Entry:
    """Return the line for a record that is as it should be already."""
    return replace(about(pair), outcome=Outcome.UNCHANGED, reason=reason)


def about(pair: Pair) -> Entry:
    """Return a line that names the pair and what both sides look like."""
    task, event = pair.task_meeting(), pair.event_meeting()
    return Entry(
        organization_id=pair.organization.id,
        outcome=Outcome.SKIPPED,
        reason=Reason.UNCHANGED,
        connection_id=pair.connection.id,
        link_id=pair.link.id if pair.link else None,
        task_id=pair.task.task.id if pair.task.task else None,
        event_id=pair.event.event.id if pair.event.event else None,
        crm=_seen(task, situation.task_edited_at(pair)),
        google=_seen(event, situation.event_edited_at(pair)),
    )


def _seen(
    meeting: model.Meeting | None, edited_at: datetime | None
) -> dict[str, object] | None:
    """Return a side with the time that last-modified-wins goes by, by our clock."""
    if meeting is None:
        return None
    at = edited_at.isoformat() if edited_at else None
    return {**mapping.meeting_to_document(meeting), "edited_at": at}


def naming(entry: Entry, pair: Pair) -> Entry:
    """Return the line with the ids that its record got while it was written.

    And with the guests whom Google did not let us invite, which nobody knew before.
    """
    now = about(pair)
    if pair.were_guests_refused:
        entry = replace(
            entry, reason=Reason.GUESTS_HELD_BACK, next_attempt_at=pair.guests_due_at
        )
    return replace(
        entry, link_id=now.link_id, task_id=now.task_id, event_id=now.event_id
    )


def _outcome(decision: Decision, writes: Writes) -> Outcome:
    if decision.contested:
        return Outcome.CONFLICT
    if decision.reason in _WAITING:
        return Outcome.HELD
    if decision.reason is Reason.READ_ONLY_EVENT:
        return Outcome.SKIPPED
    if writes != Writes() or decision.detach:
        return Outcome.APPLIED
    if decision.target is not None or decision.reason in _UNCHANGED:
        return Outcome.UNCHANGED
    return Outcome.SKIPPED


def _changes(pair: Pair, decision: Decision) -> dict[str, object]:
    """Return what becomes different from the state both sides had agreed on."""
    if decision.target is None:
        return {}
    after = mapping.meeting_to_document(decision.target)
    if pair.baseline is None:
        return {name: {"before": None, "after": value} for name, value in after.items()}
    known = pair.baseline.meeting
    before = mapping.meeting_to_document(known)
    changed = mapping.changed_fields(known, decision.target)
    return {f: {"before": before[f], "after": after[f]} for f in sorted(changed)}


# -- storing ----------------------------------------------------------------------


def record(work: UnitOfWork, message: Message, entry: Entry, *, now: datetime) -> int:
    """Store the line, in the message's job or in a job of its own; return the job.

    A later attempt of the same message corrects its line. A job that is gone, as after
    the database was restored, is as good as none.
    """
    row = _row(message, entry, now)
    if not _is_in_its_job(work, message, row):
        direction = _direction(message)
        work.jobs.of_one(row, trigger=message.trigger, direction=direction)
    metrics.decisions.labels(entry.outcome, entry.reason).inc()
    with bound(task=entry.task_id, event=entry.event_id):
        log.info("Noted %s (%s): %s", entry.outcome, entry.reason, entry.action)
    return row.job_id


def _is_in_its_job(work: UnitOfWork, message: Message, row: tables.JobItem) -> bool:
    """Store the line in the message's job; tell whether there is one."""
    if message.job_id is None:
        return False
    row.job_id = message.job_id
    try:
        work.items.record(row)
    except LookupError:
        return False
    return True


def _row(message: Message, entry: Entry, now: datetime) -> tables.JobItem:
    return tables.JobItem(
        organization_id=entry.organization_id,
        connection_id=entry.connection_id,
        link_id=entry.link_id,
        delivery_id=message.id,
        task_id=entry.task_id,
        event_id=entry.event_id,
        action=entry.action,
        outcome=entry.outcome,
        reason=entry.reason,
        error=entry.error,
        attempts=message.attempt,
        changes=entry.changes,
        crm=entry.crm,
        google=entry.google,
        at=now,
        next_attempt_at=entry.next_attempt_at,
    )


def record_failure(
    work: UnitOfWork,
    message: Message,
    reason: str,
    error: str,
    *,
    now: datetime,
    next_attempt_at: datetime | None,
) -> int | None:
    """Store that an attempt failed; return the job, None if nobody's history has it."""
    known = subjects.about(work, message)
    if known.organization_id is None:
        return message.job_id
    entry = Entry(
        organization_id=known.organization_id,
        connection_id=known.connection_id,
        link_id=known.link_id,
        task_id=known.task_id,
        event_id=known.event_id,
        outcome=Outcome.FAILED,
        reason=reason,
        error=error,
        next_attempt_at=next_attempt_at,
    )
    return record(work, message, entry, now=now)


def open_job(
    work: UnitOfWork,
    message: Message,
    *,
    organization_id: int,
    connection_id: int | None,
    now: datetime,
    expected: int | None = None,
) -> tables.Job:
    """Start the job of a message; `expected` records end it, None while unknown."""
    return work.jobs.start(
        organization_id=organization_id,
        connection_id=connection_id,
        trigger=message.trigger,
        direction=_direction(message),
        expected=expected,
        now=now,
    )


def _direction(message: Message) -> Direction:
    match message.subject:
        case messages.TaskChanged() | messages.TaskDue() | messages.OrganizationDue():
            return Direction.CRM_TO_GOOGLE
        case messages.RemovalDue():
            return Direction.CRM_TO_GOOGLE
        case messages.ConnectionDue() | messages.WindowDue():
            return Direction.BOTH
        case _:
            return Direction.GOOGLE_TO_CRM
