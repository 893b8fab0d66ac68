"""Google's side of the mapping.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.domain import errors, text, zones
from shared.domain.mapping.directory import Directory, address
from shared.domain.mapping.meetings import title
from shared.domain.model import (
    Address,
    AllDay,
    Document,
    Event,
    EventId,
    EventStatus,
    Guest,
    Meeting,
    Response,
    Timed,
    When,
)

TASK_KEY = "crmTaskId"
ORGANIZATION_KEY = "crmOrganization"

_TICK = timedelta(milliseconds=1)
"""Google's times are no finer (fact 75)."""

_FROM_GOOGLE = {
    "needsAction": Response.NEEDS_ACTION,
    "accepted": Response.ACCEPTED,
    "declined": Response.DECLINED,
    "tentative": Response.TENTATIVE,
}


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


def deleted(document: Document) -> dict[str, Any]:
    """Return an event as it is once it is deleted, until Google tells of it.

    It counts as a little later than what it ends: a page that was listed before must
    not bring the event back. The tombstone's own time is later still.
    """
    end: dict[str, Any] = {"status": EventStatus.CANCELLED.value, "etag": ""}
    updated_at = _instant_of(document, "updated")
    if updated_at is not None:
        end["updated"] = (updated_at + _TICK).isoformat()
    return {**document, **end}


def patched(document: Document, patch: Document) -> dict[str, Any]:
    """Return an event after a patch: objects merge, null removes (fact 114)."""
    after = dict(document)
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, Mapping):
            after[name] = patched(after.get(name) or {}, value)
        else:
            after[name] = value
    return after


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
        if not is_own_row(guest, event, own)
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
    rows = (g.email for g in event.guests if is_own_row(g, event, frozenset()))
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


def is_own_row(guest: Guest, event: Event, own: frozenset[Address]) -> bool:
    """Tell whether a row is no guest's: the owner, the organizer, or a room.

    The owner may have been invited under an address that only Google knows; of rows
    without any address the CRM can make nothing.
    """
    is_organizer = guest.is_organizer or guest.email == event.organizer
    is_user = guest.is_self or guest.email in own
    return is_user or is_organizer or guest.is_resource or not guest.email
