"""Tasks, events and meetings to begin from; a test changes what it is about."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.domain import mapping
from shared.domain.model import (
    Address,
    AllDay,
    Attendee,
    Event,
    Field,
    Meeting,
    Responses,
    Task,
    TaskId,
    Timed,
    User,
    When,
)
from shared.domain.settings import Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = NOON + timedelta(hours=1)
ZURICH = "Europe/Zurich"
NEW_YORK = "America/New_York"

ANN = User(
    id="ann",
    email=Address("ann@crm.example"),
    google=Address("ann@google.example"),
    time_zone=ZURICH,
)
"""Owns the tasks; her Google address is another than her address in the CRM."""
BOB = User(
    id="bob", email=Address("bob@crm.example"), google=Address("bob@google.example")
)
CY = User(id="cy", email=Address("cy@crm.example"))
"""Has no Google account connected."""
DIRECTORY = mapping.Directory.of([ANN, BOB, CY])

EVE = Address("eve@guest.example")
FAY = Address("fay@guest.example")

NO_RESPONSES: Responses = {}
SETTINGS = Settings()
TAG = mapping.Tag(task_id=TaskId("task-1"), organization="acme")
ALL_FIELDS = frozenset(Field)


def timed(start: datetime = NOON, minutes: int = 60, zone: str = ZURICH) -> Timed:
    """Return a time of day."""
    return Timed(start=start, end=start + timedelta(minutes=minutes), zone=zone)


def days(first: str = "2026-03-02", until: str = "2026-03-03") -> AllDay:
    """Return whole days."""
    return AllDay(
        first_on=date.fromisoformat(first), until_on=date.fromisoformat(until)
    )


def meeting(title: str = "Lunch", when: When | None = None, **fields: Any) -> Meeting:  # noqa: ANN401 - any field
    """Return a meeting at noon in Zurich."""
    return Meeting(title=title, when=when or timed(), **fields)


# -- the CRM ----------------------------------------------------------------------


def task_document(**fields: object) -> dict[str, Any]:
    """Return a task as the CRM sends it."""
    return {
        "id": "task-1",
        "type": "Meeting",
        "title": "Lunch",
        "description": None,
        "location": None,
        "status": "open",
        "due_at": "2026-03-02T12:00:00Z",
        "due_date": None,
        "duration_minutes": 60,
        "duration_days": None,
        "time_zone": ZURICH,
        "owner_id": "ann",
        "attendees": [],
        "google_event_id": None,
        "google_calendar_id": None,
        "version": 1,
        "created_at": "2026-03-01T08:00:00.000Z",
        "updated_at": "2026-03-01T08:00:00.000Z",
        "deleted": False,
        **fields,
    }


def task(**fields: object) -> Task:
    """Return a task as it was read."""
    return mapping.task_from_document(task_document(**fields))


def meeting_of(
    read: Task,
    *,
    settings: Settings = SETTINGS,
    own: frozenset[Address] = frozenset(),
) -> Meeting:
    """Return the meeting of a task that has one."""
    found = mapping.meeting_of_task(
        read, directory=DIRECTORY, settings=settings, own=own
    )
    assert found is not None
    return found


def task_patch(
    read: Task,
    target: Meeting,
    fields: frozenset[Field] = ALL_FIELDS,
    *,
    responses: Responses = NO_RESPONSES,
    own: frozenset[Address] = frozenset(),
) -> dict[str, Any]:
    """Return what is sent to bring a task to a meeting."""
    return mapping.task_patch(
        read,
        target,
        fields,
        responses=responses,
        settings=SETTINGS,
        directory=DIRECTORY,
        own=own,
    )


def task_body(
    target: Meeting, event: Event, *, responses: Responses = NO_RESPONSES
) -> dict[str, Any]:
    """Return what is sent to make the task of an event."""
    return mapping.task_body(
        target,
        type_name="Meeting",
        owner_id="ann",
        responses=responses,
        event=event,
        calendar_id="ann@google.example",
        directory=DIRECTORY,
    )


# -- Google -----------------------------------------------------------------------


def event_document(**fields: object) -> dict[str, Any]:
    """Return an event as Google sends it; a field that is None is left out."""
    document = {
        "kind": "calendar#event",
        "etag": '"1"',
        "id": "abc123",
        "status": "confirmed",
        "created": "2026-03-01T08:00:00.000Z",
        "updated": "2026-03-01T08:00:00.123Z",
        "summary": "Lunch",
        "creator": {"email": "ann@google.example", "self": True},
        "organizer": {"email": "ann@google.example", "self": True},
        "start": {"dateTime": "2026-03-02T13:00:00+01:00", "timeZone": ZURICH},
        "end": {"dateTime": "2026-03-02T14:00:00+01:00", "timeZone": ZURICH},
        "iCalUID": "abc123@google.com",
        "eventType": "default",
        **fields,
    }
    return {name: value for name, value in document.items() if value is not None}


def event(**fields: object) -> Event:
    """Return an event of a calendar in Zurich as it was read."""
    return mapping.event_from_document(event_document(**fields), calendar_zone=ZURICH)


def meeting_on(read: Event, *, unlisted: frozenset[Address] | None = None) -> Meeting:
    """Return the meeting of an event on Ann's calendar."""
    found = mapping.meeting_of_event(
        read, directory=DIRECTORY, owner_id="ann", unlisted=unlisted
    )
    assert found is not None
    return found


def event_body(target: Meeting, attendees: Sequence[Attendee] = ()) -> dict[str, Any]:
    """Return what is sent to make the event of a task."""
    return mapping.event_body(
        target,
        event_id=mapping.event_from_document({"id": "abc123"}, calendar_zone=ZURICH).id,
        tag=TAG,
        attendees=attendees,
        directory=DIRECTORY,
    )


def event_patch(
    read: Event,
    target: Meeting,
    fields: frozenset[Field] = ALL_FIELDS,
    *,
    tag: mapping.Tag | None = None,
) -> dict[str, Any]:
    """Return what is sent to bring an event of Ann's to a meeting."""
    return mapping.event_patch(
        read, target, fields, tag=tag, directory=DIRECTORY, owner_id="ann"
    )


def guest(email: str, answer: str = "needsAction", **fields: object) -> dict[str, Any]:
    """Return a row of an event's attendees."""
    return {"email": email, "responseStatus": answer, **fields}


def attendee(email: str, answer: str = "needs_action") -> dict[str, Any]:
    """Return a row of a task's attendees."""
    return {"email": email, "name": None, "response": answer}
