"""What is written to Google: the bodies of `events.insert` and `events.patch`.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from shared.domain import text, zones
from shared.domain.mapping.directory import Directory
from shared.domain.mapping.events import ORGANIZATION_KEY, TASK_KEY, is_own_row
from shared.domain.mapping.meetings import UNTITLED
from shared.domain.model import (
    Address,
    AllDay,
    Attendee,
    Event,
    EventId,
    EventStatus,
    Field,
    Meeting,
    TaskId,
    Timed,
    When,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What marks an event as belonging to a task, as private extended properties."""

    task_id: TaskId
    organization: str


def event_body(
    meeting: Meeting,
    *,
    event_id: EventId,
    tag: Tag,
    attendees: Sequence[Attendee],
    directory: Directory,
) -> dict[str, Any]:
    """Return the body of `events.insert` for the event of a task.

    `attendees` gives the names of the guests; the guests are the meeting's.
    """
    names = {directory.in_crm(a.email): a.name for a in attendees}
    body: dict[str, Any] = {
        "id": event_id,
        "description": _description(meeting),
        "location": meeting.location,
        **_times(meeting.when),
        "extendedProperties": _properties(tag),
    }
    if meeting.title != UNTITLED:
        body["summary"] = meeting.title
    guests = sorted(meeting.attendees)
    if guests:
        body["attendees"] = [_new_row(g, names.get(g), directory) for g in guests]
    return {name: value for name, value in body.items() if value != ""}


def event_patch(
    event: Event,
    meeting: Meeting,
    fields: frozenset[Field],
    *,
    tag: Tag | None,
    directory: Directory,
    owner_id: str,
) -> dict[str, Any]:
    """Return the body of `events.patch` that brings `fields` to the meeting's.

    A patch replaces arrays whole (fact 114), so guests are computed from the rows the
    event has: those that stay keep everything Google knows of them. `tag` is added to
    an event that does not carry it.
    """
    body: dict[str, Any] = {}
    if Field.TITLE in fields:
        body["summary"] = "" if meeting.title == UNTITLED else meeting.title
    if Field.DESCRIPTION in fields:
        body["description"] = _description(meeting)
    if Field.LOCATION in fields:
        body["location"] = meeting.location
    if Field.WHEN in fields:
        body |= _times_patch(event, meeting.when)
    if Field.ATTENDEES in fields and not event.attendees_omitted:
        body["attendees"] = _rows(event, meeting, directory, owner_id)
    if Field.CANCELLED in fields:
        status = EventStatus.CANCELLED if meeting.cancelled else EventStatus.CONFIRMED
        body["status"] = status.value
    if tag is not None and (event.task_id, event.organization) != (
        tag.task_id,
        tag.organization,
    ):
        body["extendedProperties"] = _properties(tag)
    return body


def _description(meeting: Meeting) -> str:
    return text.to_html(text.shortened(meeting.description))


def _properties(tag: Tag) -> dict[str, Any]:
    return {"private": {TASK_KEY: tag.task_id, ORGANIZATION_KEY: tag.organization}}


def _times(when: When) -> dict[str, Any]:
    match when:
        case AllDay():
            return {
                "start": {"date": when.first_on.isoformat()},
                "end": {"date": when.until_on.isoformat()},
            }
        case Timed():
            return {
                "start": _moment(when.start, when.zone),
                "end": _moment(when.end, when.zone),
            }
        case _:  # pragma: no cover
            assert_never(when)


def _moment(instant: datetime, zone: str) -> dict[str, str]:
    local = instant.astimezone(zones.zone(zone))
    return {"dateTime": local.isoformat(), "timeZone": zone}


def _times_patch(event: Event, when: When) -> dict[str, Any]:
    """Return start and end; with the other kind's keys taken away if it changes."""
    body = _times(when)
    if type(event.when) is type(when):
        return body
    away = (
        {"dateTime": None, "timeZone": None}
        if isinstance(when, AllDay)
        else {"date": None}
    )
    return {name: moment | away for name, moment in body.items()}


def _rows(
    event: Event, meeting: Meeting, directory: Directory, owner_id: str
) -> list[dict[str, Any]]:
    own = directory.addresses_of(owner_id)
    kept = [
        guest
        for guest in event.guests
        if is_own_row(guest, event, own)
        or directory.in_crm(guest.email) in meeting.attendees
    ]
    present = {directory.in_crm(guest.email) for guest in kept}
    new = sorted(meeting.attendees - present)
    return [dict(g.row) for g in kept] + [_new_row(g, None, directory) for g in new]


def _new_row(email: Address, name: str | None, directory: Directory) -> dict[str, Any]:
    row: dict[str, Any] = {"email": directory.in_google(email)}
    if name:
        row["displayName"] = name
    return row
