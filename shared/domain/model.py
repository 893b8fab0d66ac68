"""The frozen values that everything else is written in terms of.

A *task* is the CRM's record, an *event* is Google's, and a *meeting* is the common form
that both map to. Instants are aware datetimes; days are dates, and every end is
exclusive (Google: https://developers.google.com/workspace/calendar/api/concepts/events-calendars).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, NewType

Document = Mapping[str, Any]
"""A JSON object as the CRM or Google sends it."""

TaskId = NewType("TaskId", str)
EventId = NewType("EventId", str)
Address = NewType("Address", str)
"""An e-mail address in lower case."""


class Side(StrEnum):
    """The two sides of a link."""

    CRM = "crm"
    GOOGLE = "google"


class TaskStatus(StrEnum):
    """The status of a task; `crm-api.yaml`, TaskWrite.status."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class EventStatus(StrEnum):
    """The status of an event; fact 63."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"


class Response(StrEnum):
    """A guest's answer, in the CRM's spelling."""

    NEEDS_ACTION = "needs_action"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """From `start` to `end` (exclusive), planned in the IANA zone `zone`."""

    start: datetime
    end: datetime
    zone: str

    def __post_init__(self) -> None:
        """Refuse naive datetimes: which instant they mean is anybody's guess."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            message = "start and end must carry an offset"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllDay:
    """Whole days from `first_on` to `until_on`, which is no longer part of it."""

    first_on: date
    until_on: date


When = Timed | AllDay


def starts_at(when: When) -> datetime:
    """Return the instant at which it starts; of whole days, midnight UTC."""
    if isinstance(when, Timed):
        return when.start
    return datetime.combine(when.first_on, time(), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """A guest as the CRM knows one."""

    email: Address
    name: str | None = None
    response: Response = Response.NEEDS_ACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of the CRM as it was read; `crm-api.yaml`, Task."""

    id: TaskId
    type: str
    title: str
    owner_id: str
    version: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    location: str | None = None
    status: TaskStatus = TaskStatus.OPEN
    due_at: datetime | None = None
    due_date: date | None = None
    duration_minutes: int | None = None
    duration_days: int | None = None
    time_zone: str | None = None
    attendees: tuple[Attendee, ...] = ()
    google_event_id: str | None = None
    google_calendar_id: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One row of an event's `attendees`; `row` is the row as Google sent it."""

    email: Address
    name: str | None = None
    response: Response = Response.NEEDS_ACTION
    is_self: bool = False
    is_organizer: bool = False
    is_resource: bool = False
    row: Document = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of Google Calendar as it was read (R/events).

    `when` is None in the bare row that a deletion leaves behind (facts 64-65); `zone`
    is the zone the event is planned in. `description` is Google's text, HTML included.
    """

    id: EventId
    etag: str
    status: EventStatus
    when: When | None
    summary: str = ""
    description: str = ""
    location: str = ""
    guests: tuple[Guest, ...] = ()
    organizer: Address | None = None
    is_organizer: bool = True
    ical_uid: str | None = None
    recurring_event_id: str | None = None
    original_start: str | None = None
    recurrence: tuple[str, ...] = ()
    event_type: str = "default"
    visibility: str = "default"
    locked: bool = False
    guests_can_modify: bool = False
    attendees_omitted: bool = False
    task_id: TaskId | None = None
    organization: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_cancelled(self) -> bool:
        """Tell whether the event is deleted, which Google calls cancelled."""
        return self.status is EventStatus.CANCELLED

    @property
    def starts_at(self) -> datetime | None:
        """Return when the event starts, if it tells; of whole days, midnight UTC."""
        return None if self.when is None else starts_at(self.when)


class Field(StrEnum):
    """The synced fields of a meeting, in the order they are shown."""

    TITLE = "title"
    DESCRIPTION = "description"
    LOCATION = "location"
    WHEN = "when"
    ATTENDEES = "attendees"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What both sides have in common: the synced fields, in canonical form.

    Texts are canonical plain text (`domain.text.canonical`), `attendees` are CRM
    addresses without the owner and the organizer.
    """

    title: str
    when: When
    description: str = ""
    location: str = ""
    attendees: frozenset[Address] = frozenset()
    cancelled: bool = False


Responses = Mapping[Address, Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The last state both sides agreed on, and the guests' answers then."""

    meeting: Meeting
    responses: Responses = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the CRM; `google` is the address of the connected Google account."""

    id: str
    email: Address
    name: str | None = None
    time_zone: str | None = None
    active: bool = True
    google: Address | None = None
