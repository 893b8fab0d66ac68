"""The CRM's side of the mapping (`crm-api.yaml`)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar, assert_never

from shared.domain import errors, text, zones
from shared.domain.mapping.directory import Directory, address
from shared.domain.mapping.meetings import title
from shared.domain.model import (
    Address,
    AllDay,
    Attendee,
    Document,
    Event,
    Field,
    Meeting,
    Response,
    Responses,
    Task,
    TaskId,
    TaskStatus,
    Timed,
    When,
)
from shared.domain.settings import Settings

_T = TypeVar("_T")


def task_from_document(document: Document) -> Task:
    """Return the task that the CRM sent; `MappingError` names the field it broke."""
    read = _Reader(document)
    return Task(
        id=TaskId(read("id", str)),
        type=read("type", str),
        title=read("title", str),
        owner_id=read("owner_id", str),
        version=read("version", int),
        created_at=read("created_at", _instant),
        updated_at=read("updated_at", _instant),
        description=read.optional("description", str),
        location=read.optional("location", str),
        status=read("status", TaskStatus),
        due_at=read.optional("due_at", _instant),
        due_date=read.optional("due_date", date.fromisoformat),
        duration_minutes=read.optional("duration_minutes", int),
        duration_days=read.optional("duration_days", int),
        time_zone=read.optional("time_zone", str),
        attendees=read.optional("attendees", _attendees) or (),
        google_event_id=read.optional("google_event_id", str),
        google_calendar_id=read.optional("google_calendar_id", str),
        deleted=bool(document.get("deleted", False)),
    )


class _Reader:
    """Reads the fields of one task and blames the one that cannot be read."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def __call__(self, name: str, read: Callable[[Any], _T]) -> _T:
        try:
            return read(self._document[name])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            task = self._document.get("id", "without id")
            message = f"task {task}: {name} cannot be read"
            raise errors.MappingError(message) from error

    def optional(self, name: str, read: Callable[[Any], _T]) -> _T | None:
        if self._document.get(name) is None:
            return None
        return self(name, read)


def _instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        message = "an instant needs an offset"
        raise ValueError(message)
    return instant


def _attendees(rows: list[dict[str, Any]]) -> tuple[Attendee, ...]:
    return tuple(
        Attendee(
            email=address(row["email"]),
            name=row.get("name"),
            response=Response(row.get("response") or Response.NEEDS_ACTION),
        )
        for row in rows
    )


# -- task -> meeting --------------------------------------------------------------


def meeting_of_task(
    task: Task,
    *,
    directory: Directory,
    settings: Settings,
    own: frozenset[Address] = frozenset(),
) -> Meeting | None:
    """Return the task in the common form; None while it has no due date.

    A null time zone means the owner's, a null duration the default of the type. `own`
    are the addresses that are no guests' on its event (`own_addresses`), whatever the
    CRM says. Raises `MappingError` for times that no calendar has.
    """
    try:
        when = _when(task, directory, settings)
    except OverflowError as error:
        message = f"task {task.id}: it is due at a time that no calendar has"
        raise errors.MappingError(message) from error
    if when is None:
        return None
    own = own | directory.addresses_of(task.owner_id)
    return Meeting(
        title=title(task.title),
        description=text.canonical(task.description),
        location=text.canonical(task.location),
        when=when,
        attendees=frozenset(
            a
            for a in (directory.in_crm(a.email) for a in task.attendees)
            if a not in own
        ),
        cancelled=task.status is TaskStatus.CANCELLED or task.deleted,
    )


def _when(task: Task, directory: Directory, settings: Settings) -> When | None:
    if task.due_date is not None:
        days = timedelta(days=task.duration_days or 1)
        return AllDay(first_on=task.due_date, until_on=task.due_date + days)
    if task.due_at is None:
        return None
    start = _start(task.due_at)
    return Timed(
        start=start,
        end=start + _duration(task, settings),
        zone=_zone(task, directory),
    )


def _start(due_at: datetime) -> datetime:
    """Return the start of a task; Google knows nothing finer than a second."""
    return due_at.astimezone(UTC).replace(microsecond=0)


def _duration(task: Task, settings: Settings) -> timedelta:
    if task.duration_minutes is None:
        return settings.default_duration(task.type)
    return timedelta(minutes=task.duration_minutes)


def _zone(task: Task, directory: Directory) -> str:
    owner = directory.user(task.owner_id)
    return zones.first_known(task.time_zone, owner.time_zone if owner else None)


# -- meeting -> task --------------------------------------------------------------


def task_body(  # noqa: PLR0913 - a new task is made of all of these
    meeting: Meeting,
    *,
    type_name: str,
    owner_id: str,
    responses: Responses,
    event: Event,
    calendar_id: str,
    directory: Directory,
) -> dict[str, Any]:
    """Return the body of `POST /tasks` for the task of an event."""
    names = {directory.in_crm(g.email): g.name for g in event.guests}
    return {
        "type": type_name,
        "title": meeting.title,
        "description": meeting.description or None,
        "location": meeting.location or None,
        "status": TaskStatus.OPEN.value,
        **_when_fields(meeting.when),
        "owner_id": owner_id,
        "attendees": [
            _row(email, names.get(email), responses.get(email))
            for email in sorted(meeting.attendees)
        ],
        "google_event_id": event.id,
        "google_calendar_id": calendar_id,
    }


def task_patch(  # noqa: PLR0913 - a change is computed from all of these
    task: Task,
    meeting: Meeting,
    fields: frozenset[Field],
    *,
    responses: Responses,
    settings: Settings,
    directory: Directory,
    own: frozenset[Address] = frozenset(),
) -> dict[str, Any]:
    """Return the body of `PATCH /tasks/{id}` that brings `fields` to the meeting's.

    Contains only what differs; empty when nothing does. Answers of guests are written
    along whenever they differ; rows of `own` addresses stay as they are.
    """
    if meeting.cancelled:
        return {"status": TaskStatus.CANCELLED.value} if fields else {}
    body: dict[str, Any] = {}
    if Field.TITLE in fields:
        body["title"] = meeting.title
    if Field.DESCRIPTION in fields:
        body["description"] = meeting.description or None
    if Field.LOCATION in fields:
        body["location"] = meeting.location or None
    if Field.WHEN in fields:
        body |= _when_patch(task, meeting.when, settings, directory)
    if Field.CANCELLED in fields:
        body["status"] = TaskStatus.OPEN.value
    own = own | directory.addresses_of(task.owner_id)
    return body | _attendee_patch(task, meeting, responses, directory, own)


def _when_fields(when: When) -> dict[str, Any]:
    match when:
        case Timed():
            minutes = int((when.end - when.start).total_seconds() // 60)
            return {
                "due_at": when.start.isoformat(),
                "duration_minutes": minutes,
                "time_zone": when.zone,
            }
        case AllDay():
            return {
                "due_date": when.first_on.isoformat(),
                "duration_days": (when.until_on - when.first_on).days,
            }
        case _:  # pragma: no cover
            assert_never(when)


def _when_patch(
    task: Task, when: When, settings: Settings, directory: Directory
) -> dict[str, Any]:
    body = _when_fields(when)
    match when:
        case AllDay():
            if task.due_at is not None:
                body |= {"due_at": None, "duration_minutes": None}
        case Timed():
            if task.due_date is not None:
                return body | {"due_date": None, "duration_days": None}
            if when.end - when.start == _duration(task, settings):
                del body["duration_minutes"]
            if zones.same_zone(when.zone, _zone(task, directory)):
                del body["time_zone"]
            if task.due_at is not None and when.start == _start(task.due_at):
                del body["due_at"]
        case _:  # pragma: no cover
            assert_never(when)
    return body


def _attendee_patch(
    task: Task,
    meeting: Meeting,
    responses: Responses,
    directory: Directory,
    own: frozenset[Address],
) -> dict[str, Any]:
    rows = {directory.in_crm(a.email): a for a in task.attendees}
    wanted = {
        email: Attendee(
            email=email,
            name=rows[email].name if email in rows else None,
            response=responses.get(
                email, rows[email].response if email in rows else Response.NEEDS_ACTION
            ),
        )
        for email in meeting.attendees
    }
    kept = {email: row for email, row in rows.items() if email in own}
    present = {email: row.response for email, row in rows.items() if email not in own}
    if present == {email: row.response for email, row in wanted.items()}:
        return {}
    after = sorted((kept | wanted).items())
    return {"attendees": [_row(email, a.name, a.response) for email, a in after]}


def _row(email: Address, name: str | None, answer: Response | None) -> dict[str, Any]:
    response = answer or Response.NEEDS_ACTION
    return {"email": email, "name": name, "response": response.value}
