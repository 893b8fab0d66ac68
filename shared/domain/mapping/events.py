"""Google's side of the mapping.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.domain import errors, text, zones
from shared.domain.mapping.directory import Directory, address
from shared.domain.mapping.meetings import UNTITLED, title
from shared.domain.model import (
    Address,
    AllDay,
    Attendee,
    Document,
    Event,
    EventId,
    EventStatus,
    Field,
    Guest,
    Meeting,
    Response,
    TaskId,
    Timed,
    When,
)

TASK_KEY = "crmTaskId"
ORGANIZATION_KEY = "crmOrganization"

_FROM_GOOGLE = {
    "needsAction": Response.NEEDS_ACTION,
    "accepted": Response.ACCEPTED,
    "declined": Response.DECLINED,
    "tentative": Response.TENTATIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What marks an event as belonging to a task, as private extended properties."""

    task_id: TaskId
    organization: str


def event_from_document(document: Document, *, calendar_zone: str) -> Event:
    """Return the event that Google sent; `MappingError` names what it broke.

    Copes with the bare rows that deletions leave behind (facts 13, 64-65).
    """
    try:
        return _event(document, calendar_zone)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        message = f"event {document.get('id', 'without id')} cannot be read: {error}"
        raise errors.MappingError(message) from error


def _event(document: Document, calendar_zone: str) -> Event:
    organizer = document.get("organizer") or {}
    private = (document.get("extendedProperties") or {}).get("private") or {}
    return Event(
        id=EventId(document["id"]),
        etag=document.get("etag", ""),
        status=EventStatus(document.get("status", "confirmed")),
        when=_when(document, calendar_zone),
        summary=document.get("summary", ""),
        description=document.get("description", ""),
        location=document.get("location", ""),
        guests=tuple(_guest(row) for row in document.get("attendees", ())),
        organizer=address(organizer["email"]) if "email" in organizer else None,
        is_organizer=organizer.get("self", not organizer),
        ical_uid=document.get("iCalUID"),
        recurring_event_id=document.get("recurringEventId"),
        original_start=_original_start(document, calendar_zone),
        recurrence=tuple(document.get("recurrence", ())),
        event_type=document.get("eventType", "default"),
        visibility=document.get("visibility", "default"),
        locked=document.get("locked", False),
        guests_can_modify=document.get("guestsCanModify", False),
        attendees_omitted=document.get("attendeesOmitted", False),
        task_id=private.get(TASK_KEY),
        organization=private.get(ORGANIZATION_KEY),
        created_at=_instant_of(document, "created"),
        updated_at=_instant_of(document, "updated"),
    )


def _guest(row: Document) -> Guest:
    return Guest(
        email=address(row.get("email", "")),
        name=row.get("displayName"),
        response=_FROM_GOOGLE[row.get("responseStatus", "needsAction")],
        is_self=row.get("self", False),
        is_organizer=row.get("organizer", False),
        is_resource=row.get("resource", False),
        row=row,
    )


def _when(document: Document, calendar_zone: str) -> When | None:
    if "start" not in document or "end" not in document:
        return None
    start, end = document["start"], document["end"]
    if "date" in start:
        first_on = date.fromisoformat(start["date"])
        until_on = date.fromisoformat(end["date"])
        # The CRM counts whole days, of which there is at least one.
        return AllDay(
            first_on=first_on, until_on=max(until_on, first_on + timedelta(days=1))
        )
    first, last = _instant(start, calendar_zone), _instant(end, calendar_zone)
    # The CRM counts whole minutes.
    minutes = -((first - last) // timedelta(minutes=1))
    return Timed(
        start=first,
        end=first + timedelta(minutes=minutes),
        zone=zones.first_known(start.get("timeZone"), calendar_zone),
    )


def _instant(moment: Document, calendar_zone: str) -> datetime:
    instant = datetime.fromisoformat(moment["dateTime"]).replace(microsecond=0)
    if instant.tzinfo is None:
        zone = zones.zone(zones.first_known(moment.get("timeZone"), calendar_zone))
        return instant.replace(tzinfo=zone).astimezone(UTC)
    return instant.astimezone(UTC)


def _instant_of(document: Document, name: str) -> datetime | None:
    return datetime.fromisoformat(document[name]) if name in document else None


def _original_start(document: Document, calendar_zone: str) -> str | None:
    start = document.get("originalStartTime")
    if not start:
        return None
    if "date" in start:
        return str(start["date"])
    return _instant(start, calendar_zone).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- event -> meeting -------------------------------------------------------------


def meeting_of_event(
    event: Event,
    *,
    directory: Directory,
    owner_id: str,
    unlisted: frozenset[Address] | None = None,
) -> Meeting | None:
    """Return the event in the common form; None for a bare row without times.

    Where Google omits guests, `unlisted` are taken to be there: those of the task. A
    list that is cut short is no sign that anybody was uninvited.
    """
    if event.when is None:
        return None
    own = directory.addresses_of(owner_id)
    attendees = frozenset(
        directory.in_crm(guest.email)
        for guest in event.guests
        if not _is_own_row(guest, event, own)
    )
    if event.attendees_omitted and unlisted is not None:
        attendees = unlisted
    return Meeting(
        title=title(event.summary),
        description=text.from_html(event.description),
        location=text.canonical(event.location),
        when=event.when,
        attendees=attendees,
        cancelled=event.is_cancelled,
    )


def own_addresses(event: Event, *, directory: Directory) -> frozenset[Address]:
    """Return whom the CRM must not take for guests: organizer, rooms, the user."""
    rows = (g.email for g in event.guests if _is_own_row(g, event, frozenset()))
    organizer = () if event.organizer is None else (event.organizer,)
    return frozenset(directory.in_crm(email) for email in (*rows, *organizer))


def responses_of_event(
    event: Event, *, directory: Directory
) -> dict[Address, Response]:
    """Return the guests' answers, under the addresses the CRM knows them by.

    Of a user who is invited under two addresses, the connected account's counts.
    """
    people = [guest for guest in event.guests if not guest.is_resource]
    people.sort(key=lambda guest: directory.in_crm(guest.email) != guest.email)
    return {directory.in_crm(guest.email): guest.response for guest in people}


def _is_own_row(guest: Guest, event: Event, own: frozenset[Address]) -> bool:
    """Tell whether a row is no guest's: the owner, the organizer, or a room.

    The owner may have been invited under an address that only Google knows; of rows
    without any address the CRM can make nothing.
    """
    is_organizer = guest.is_organizer or guest.email == event.organizer
    is_user = guest.is_self or guest.email in own
    return is_user or is_organizer or guest.is_resource or not guest.email


# -- meeting -> event -------------------------------------------------------------


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
        if _is_own_row(guest, event, own)
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
