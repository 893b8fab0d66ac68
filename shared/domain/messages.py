"""What travels through the queues: *look at this record*, never *do this*.

A message may arrive twice, late, or out of order; whoever handles it reads where both
sides are now. Later versions add fields, and readers ignore fields they do not know, so
two releases can run side by side.
"""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain import errors


class Queue(StrEnum):
    """The work queues; each name is also the routing key."""

    GOOGLE_CHANGES = "google.changes"
    CRM_CHANGES = "crm.changes"
    RECORDS = "records"
    BACKFILL = "backfill"
    DEAD_LETTERS = "dead-letters"


class Delay(StrEnum):
    """The delay queues; later attempts wait in one of them."""

    BUSY = "1s"
    TEN_SECONDS = "10s"
    MINUTE = "1m"
    TEN_MINUTES = "10m"
    HOUR = "1h"

    @property
    def seconds(self) -> int:
        """How long a message waits there, in seconds."""
        return _DELAY_SECONDS[self]


_DELAY_SECONDS = {
    Delay.BUSY: 1,
    Delay.TEN_SECONDS: 10,
    Delay.MINUTE: 60,
    Delay.TEN_MINUTES: 600,
    Delay.HOUR: 3600,
}


class Trigger(StrEnum):
    """Why the work is done; also the trigger of a job in the history."""

    WEBHOOK = "webhook"
    SCHEDULE = "schedule"
    MANUAL = "manual"
    RETRY = "retry"
    BACKFILL = "backfill"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelNotified:
    """Google says that something on the calendar of a watch channel changed."""

    channel_id: str
    resource_id: str
    resource_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDue:
    """A calendar is to be pulled for changes since its sync token.

    `wish` is the number of the wish for it, if that was made before: once it is
    granted, nothing is left to do.
    """

    calendar_id: int
    wish: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationDue:
    """The CRM of an organization is to be polled for changes since its cursor."""

    organization_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDue:
    """A connection is to be brought in step inside its window (first sync, repair)."""

    connection_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewDue:
    """What a sync of a connection would do is to be found out."""

    connection_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationDue:
    """A user of the CRM is to be told how to connect."""

    organization_id: int
    crm_user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDue:
    """Whether the CRM of an organization lets us in is to be found out."""

    organization_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchDue:
    """An organization is to be searched for orphans and duplicates."""

    organization_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairDue:
    """The orphans and duplicates that an admin has chosen are to be repaired."""

    organization_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDue:
    """What a connection led for others, too, is to be led by their copies."""

    connection_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalDue:
    """The events that we made for a connection are to go, then its access to Google."""

    connection_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDue:
    """A paused connection is to be probed: Google may let us in again."""

    connection_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDue:
    """A task is to be looked at; `version` is the one the sender saw, if known."""

    organization_id: int
    task_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDue:
    """An event of a calendar is to be looked at, as the last pull stored it.

    `must_read`: what is stored may be out of date, so read it from Google first.
    """

    calendar_id: int
    event_id: str
    must_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDue:
    """A calendar needs a watch channel: its first, or one after the present ones."""

    calendar_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDue:
    """The window of a calendar is to move on to the present day."""

    calendar_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged:
    """The CRM's webhook says that a task changed; `organization` is its name."""

    organization: str
    task_id: str
    version: int
    owner_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What was in a queue is no message of ours; `body` is its beginning as text."""

    body: str


Subject = (
    ChannelNotified
    | CalendarDue
    | OrganizationDue
    | ConnectionDue
    | AccessDue
    | PreviewDue
    | InvitationDue
    | CheckDue
    | SearchDue
    | RepairDue
    | HandoverDue
    | RemovalDue
    | TaskDue
    | EventDue
    | WatchDue
    | WindowDue
    | TaskChanged
    | Unreadable
)
_SUBJECTS: dict[str, type[Subject]] = {
    "channel_notified": ChannelNotified,
    "calendar_due": CalendarDue,
    "organization_due": OrganizationDue,
    "connection_due": ConnectionDue,
    "access_due": AccessDue,
    "preview_due": PreviewDue,
    "invitation_due": InvitationDue,
    "check_due": CheckDue,
    "search_due": SearchDue,
    "repair_due": RepairDue,
    "handover_due": HandoverDue,
    "removal_due": RemovalDue,
    "task_due": TaskDue,
    "event_due": EventDue,
    "watch_due": WatchDue,
    "window_due": WindowDue,
    "task_changed": TaskChanged,
    "unreadable": Unreadable,
}
_KINDS = {subject: kind for kind, subject in _SUBJECTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One attempt that did not succeed."""

    at: datetime
    reason: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One piece of work in a queue.

    `id` is the delivery id and stays the same over all attempts; `attempt` counts from
    1. `queued_at` is when the change was first queued, for the end-to-end latency;
    `due_at` is from when on this message may be taken, while it is on its way.

    `trace` names what it is a part of, in the form of a W3C `traceparent`: everything
    that one webhook leads to has the same trace id.
    """

    id: str
    queue: Queue
    subject: Subject
    trigger: Trigger
    queued_at: datetime
    job_id: int | None = None
    attempt: int = 1
    failures: tuple[Failure, ...] = field(default=())
    trace: str | None = None
    due_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Tell whether this is the first look at a change somebody just made.

        Only such work may send guest mail; repairs, retries and replays never do.
        """
        return self.attempt == 1 and self.trigger is Trigger.WEBHOOK


def failed(message: Message, reason: str, error: str, *, at: datetime) -> Message:
    """Return the message with one more failure in its history."""
    failure = Failure(at=at, reason=reason, error=error)
    return replace(message, failures=(*message.failures, failure))


def unreadable(queue: Queue, body: bytes, *, delivery_id: str, at: datetime) -> Message:
    """Return the dead letter for a body that `decode` refuses."""
    message = Message(
        id=delivery_id,
        queue=queue,
        subject=Unreadable(body=body[:4096].decode(errors="backslashreplace")),
        trigger=Trigger.REPAIR,
        queued_at=at,
    )
    error = "the body is not a message of calendar-sync"
    return failed(message, "message_decode", error, at=at)


def encode(message: Message) -> bytes:
    """Return the message as UTF-8 JSON."""
    document = {
        "id": message.id,
        "queue": message.queue.value,
        "kind": _KINDS[type(message.subject)],
        "subject": asdict(message.subject),
        "trigger": message.trigger.value,
        "queued_at": message.queued_at.isoformat(),
        "job_id": message.job_id,
        "attempt": message.attempt,
        "failures": [
            {"at": f.at.isoformat(), "reason": f.reason, "error": f.error}
            for f in message.failures
        ],
        "trace": message.trace,
        "due_at": message.due_at.isoformat() if message.due_at else None,
    }
    return json.dumps(document, separators=(",", ":")).encode()


_DECODE_ERRORS = (
    AttributeError,
    KeyError,
    OverflowError,  # an infinite number
    RecursionError,  # lists in lists in lists
    TypeError,
    ValueError,
)


def decode(body: bytes) -> Message:
    """Return the message that `encode` wrote, here or in another release.

    Raises `MessageDecodeError` when the body is not such a message.
    """
    try:
        document: dict[str, Any] = json.loads(body)
        return Message(
            id=document["id"],
            queue=Queue(document["queue"]),
            subject=_subject(document["kind"], document["subject"]),
            trigger=Trigger(document["trigger"]),
            queued_at=datetime.fromisoformat(document["queued_at"]),
            job_id=document.get("job_id"),
            attempt=int(document.get("attempt", 1)),
            failures=tuple(
                Failure(
                    at=datetime.fromisoformat(f["at"]),
                    reason=f["reason"],
                    error=f["error"],
                )
                for f in document.get("failures", ())
            ),
            trace=_text(document.get("trace")),
            due_at=_instant(document.get("due_at")),
        )
    except _DECODE_ERRORS as error:
        name = type(error).__name__
        message = f"the message cannot be read ({name}: {error})"
        raise errors.MessageDecodeError(message) from error


def _text(value: object) -> str | None:
    if isinstance(value, str | None):
        return value
    message = "not a text"
    raise TypeError(message)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _subject(kind: str, document: dict[str, Any]) -> Subject:
    subject = _SUBJECTS[kind]
    known = {f.name for f in fields(subject)}
    return subject(**{name: v for name, v in document.items() if name in known})
