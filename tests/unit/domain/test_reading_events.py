"""Events as Google sends them, read or refused by their id."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain import errors, mapping
from shared.domain.model import Event, EventId, EventStatus, Guest, Response
from tests.unit.domain.records import EVE, event, event_document, guest, timed


def test_every_field_is_read() -> None:
    row = guest("Eve@guest.example", "declined", displayName="Eve")
    document = event_document(
        description="cake",
        location="here",
        attendees=[row, {"email": "ann@google.example", "self": True}],
        organizer={"email": "Eve@guest.example"},
        visibility="private",
        locked=True,
        guestsCanModify=True,
        attendeesOmitted=True,
        recurringEventId="abc",
        recurrence=["RRULE:FREQ=DAILY"],
        originalStartTime={"dateTime": "2026-03-02T13:00:00+01:00"},
        eventType="fromGmail",
    )

    read = mapping.event_from_document(document, calendar_zone="UTC")

    assert read == Event(
        id=EventId("abc123"),
        etag='"1"',
        status=EventStatus.CONFIRMED,
        when=timed(),
        summary="Lunch",
        description="cake",
        location="here",
        guests=(
            Guest(email=EVE, name="Eve", response=Response.DECLINED),
            Guest(email=read.guests[1].email, is_self=True),
        ),
        organizer=EVE,
        is_organizer=False,
        ical_uid="abc123@google.com",
        recurring_event_id="abc",
        original_start="2026-03-02T12:00:00Z",
        recurrence=("RRULE:FREQ=DAILY",),
        event_type="fromGmail",
        visibility="private",
        locked=True,
        guests_can_modify=True,
        attendees_omitted=True,
        created_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC),
    )
    assert read.guests[0].row == row


def test_the_bare_row_of_a_deletion_is_read() -> None:
    read = mapping.event_from_document(
        {
            "kind": "calendar#event",
            "id": "abc123",
            "etag": '"2"',
            "status": "cancelled",
        },
        calendar_zone="UTC",
    )

    assert read.is_cancelled
    assert (read.id, read.etag, read.when) == ("abc123", '"2"', None)
    assert (read.created_at, read.updated_at, read.ical_uid) == (None, None, None)
    assert (read.is_organizer, read.organizer) == (True, None)


def test_the_bare_row_of_a_cancelled_instance_is_read() -> None:
    read = mapping.event_from_document(
        {
            "id": "abc_20260302",
            "status": "cancelled",
            "recurringEventId": "abc",
            "originalStartTime": {"date": "2026-03-02"},
        },
        calendar_zone="UTC",
    )

    assert (read.recurring_event_id, read.original_start) == ("abc", "2026-03-02")


def test_an_original_start_is_the_same_instant_in_every_zone() -> None:
    zurich = {"dateTime": "2026-03-02T13:00:00", "timeZone": "Europe/Zurich"}

    local = event(originalStartTime=zurich)
    rendered = event(originalStartTime={"dateTime": "2026-03-02T21:00:00+09:00"})

    assert local.original_start == rendered.original_start == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize(
    ("organizer", "is_organizer"),
    [
        ({"email": "ann@google.example", "self": True}, True),
        ({"email": "eve@guest.example"}, False),
        ({"displayName": "Eve"}, False),
        (None, True),
    ],
)
def test_the_calendar_organizes_what_it_says_it_does(
    organizer: dict[str, object] | None, *, is_organizer: bool
) -> None:
    read = event(organizer=organizer)

    assert read.is_organizer is is_organizer


def test_fields_of_a_later_google_are_ignored() -> None:
    read = event(eventLabelId="7", conferenceData={"conferenceId": "x"})

    assert read == event()


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"status": "postponed"},
        {"start": {}},
        {"start": "noon"},
        {"start": {"date": "2026-03-02"}},
        {"end": {"date": "2026-03-03"}},
        {"start": {"dateTime": "noon"}},
        {"start": {"date": "2026-02-30"}, "end": {"date": "2026-03-01"}},
        {"end": {"dateTime": "9999-12-31T23:59:30-01:00"}},
        {"start": {"date": "9999-12-31"}, "end": {"date": "9999-12-31"}},
        {"attendees": [guest("eve@guest.example", "perhaps")]},
        {"attendees": [{"email": 5}]},
        {"attendees": 5},
        {"organizer": "eve@guest.example"},
        {"extendedProperties": {"private": "task-1"}},
        {"updated": "yesterday"},
    ],
)
def test_an_event_that_cannot_be_read_is_named(fields: dict[str, Any]) -> None:
    document = event_document(**fields)

    with pytest.raises(errors.MappingError, match=r"event (abc123|without id) cannot"):
        mapping.event_from_document(document, calendar_zone="UTC")


def test_what_broke_an_event_is_kept_as_the_cause() -> None:
    with pytest.raises(errors.MappingError) as refused:
        event(status="postponed")

    assert isinstance(refused.value.__cause__, ValueError)


def test_a_deleted_event_is_later_than_what_it_ends() -> None:
    document = event_document(updated="2026-03-01T08:00:00.000Z")

    read = mapping.event_from_document(mapping.deleted(document), calendar_zone="UTC")

    assert (read.status, read.etag) == (EventStatus.CANCELLED, "")
    assert read.updated_at is not None
    assert read.updated_at > datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def test_a_deleted_event_without_a_time_has_none() -> None:
    bare = {"id": "abc", "status": "confirmed"}

    assert mapping.deleted(bare) == {"id": "abc", "status": "cancelled", "etag": ""}


def test_a_patch_changes_what_it_names_and_removes_what_it_calls_null() -> None:
    before = {
        "start": {"date": "2026-03-02"},
        "location": "Here",
        "attendees": [{"email": "ann@example.com"}],
        "extendedProperties": {"private": {"theirs": "1"}},
    }
    patch: dict[str, Any] = {
        "start": {"date": None, "dateTime": "2026-03-02T09:00:00Z"},
        "end": {"date": None, "dateTime": "2026-03-02T09:30:00Z"},
        "location": None,
        "attendees": [],
        "extendedProperties": {"private": {"ours": "2"}},
    }

    assert mapping.patched(before, patch) == {
        "start": {"dateTime": "2026-03-02T09:00:00Z"},
        "end": {"dateTime": "2026-03-02T09:30:00Z"},
        "attendees": [],
        "extendedProperties": {"private": {"theirs": "1", "ours": "2"}},
    }
