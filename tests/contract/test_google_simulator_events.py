"""The simulated Calendar API: single events, written and read back."""

import re
from http import HTTPStatus
from typing import Any

import pytest

from tests.contract.google_simulator import (
    ANNA,
    BEN,
    Google,
    days,
    guests,
    hour,
    refusal,
)


@pytest.fixture
def google() -> Google:
    return Google()


def test_an_inserted_event_has_what_google_adds(google: Google) -> None:
    made = google.insert(summary="Kick-off  ")

    assert made["kind"] == "calendar#event"
    assert made["summary"] == "Kick-off"
    assert made["status"] == "confirmed"
    assert made["iCalUID"] == f"{made['id']}@google.com"
    assert made["creator"] == made["organizer"] == {"email": ANNA, "self": True}
    assert made["reminders"] == {"useDefault": True}
    assert made["sequence"] == 0
    assert made["eventType"] == "default"
    assert re.fullmatch(r"[a-v0-9]{26}", made["id"])
    assert google.get(made["id"]) == made


def test_times_are_rendered_in_the_calendars_zone_and_keep_their_own(
    google: Google,
) -> None:
    times = hour("2026-12-01T10:00", zone="America/New_York")

    made = google.insert(**times)

    assert made["start"] == {
        "dateTime": "2026-12-01T16:00:00+01:00",
        "timeZone": "America/New_York",
    }


def test_a_time_zone_can_be_asked_for(google: Google) -> None:
    made = google.insert()

    shown = google.get(made["id"], timeZone="UTC")

    assert shown["start"]["dateTime"] == "2026-12-01T09:00:00Z"


def test_a_time_without_offset_or_zone_is_in_the_calendars_zone(
    google: Google,
) -> None:
    made = google.insert(
        start={"dateTime": "2026-07-01T10:00:00"},
        end={"dateTime": "2026-07-01T11:00:00"},
    )

    assert made["start"] == {
        "dateTime": "2026-07-01T10:00:00+02:00",
        "timeZone": "Europe/Berlin",
    }


def test_an_all_day_event_has_dates_and_no_zone(google: Google) -> None:
    made = google.insert(
        start={"date": "2026-12-01", "timeZone": "Asia/Tokyo"},
        end={"date": "2026-12-02"},
    )

    assert made["start"] == {"date": "2026-12-01"}
    assert made["end"] == {"date": "2026-12-02"}


def test_an_event_may_be_of_no_length(google: Google) -> None:
    made = google.insert(**hour("2026-12-01T10:00", minutes=0))

    assert made["start"] == made["end"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (hour("2026-12-01T10:00", minutes=-1), "timeRangeEmpty"),
        (days("2026-12-02", "2026-12-01"), "timeRangeEmpty"),
        ({"end": None}, "required"),
        ({"start": {}}, "required"),
        ({"start": {"date": "2026-12-01"}}, "invalid"),
        ({"start": {"date": "2026-02-30"}}, "invalid"),
        ({"start": {"dateTime": "2026-12-01T10:00"}}, "invalid"),
        (
            {"start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "X/Y"}},
            "invalid",
        ),
        ({"status": "done"}, "invalid"),
        ({"visibility": "secret"}, "invalid"),
        ({"transparency": "clear"}, "invalid"),
        ({"attendees": [{"displayName": "Ben"}]}, "invalid"),
        ({"attendees": [{"email": BEN, "responseStatus": "maybe"}]}, "invalid"),
        ({"description": "x" * 8193}, "invalid"),
        ({"summary": 7}, "invalid"),
        ({"attendees": {"email": BEN}}, "invalid"),
        ({"sequence": "seven"}, "invalid"),
        ({"sequence": 2**31}, "invalid"),
        ({"start": {"dateTime": "0001-01-01T00:00:00+14:00"}}, "invalid"),
        ({"end": {"dateTime": "9999-12-31T23:00:00-12:00"}}, "invalid"),
        ({"source": {"title": "CRM", "url": "ftp://crm"}}, "invalid"),
        ({"eventType": "fromGmail"}, "invalid"),
        ({"eventType": "outOfOffice", "transparency": "transparent"}, "invalid"),
        ({"eventType": "workingLocation"}, "invalid"),
        ({"eventType": "birthday"}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=HOURLY"]}, "invalid"),
        ({"recurrence": ["DTSTART:20261201T100000Z"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=XX"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=MONTHLY;BYDAY=9MO"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=DAILY;COUNT=0"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=DAILY;INTERVAL=0"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=DAILY;COUNT=2;UNTIL=20261203"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=DAILY;UNTIL=tomorrow"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=DAILY;BYMONTH=13"]}, "invalid"),
        (
            {"recurrence": ["RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"]},
            "invalid",
        ),
        (
            {
                "recurrence": ["RRULE:FREQ=DAILY"],
                "start": {"dateTime": "2026-12-01T09:00:00Z"},
            },
            "required",
        ),
        ({"reminders": {"useDefault": True, "overrides": [{}]}}, "invalid"),
        (
            {
                "reminders": {
                    "useDefault": False,
                    "overrides": [{"method": "sms", "minutes": 5}],
                }
            },
            "invalid",
        ),
    ],
)
def test_what_google_does_not_take_is_a_400(
    google: Google, fields: dict[str, Any], reason: str
) -> None:
    body = {**hour("2026-12-01T10:00"), **fields}

    answer = google.call("POST", body=body)

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, reason)
    assert google.rows() == []


def test_fields_that_google_does_not_know_are_ignored(google: Google) -> None:
    made = google.insert(colour="red", htmlLink="https://elsewhere.example.com")

    assert "colour" not in made
    assert made["htmlLink"].startswith("https://www.google.com/calendar/event?eid=")


@pytest.mark.parametrize("event_id", ["abcd", "xyzxyz", "ABCDEF", "with-hyphen"])
def test_a_clients_id_must_be_base32hex(google: Google, event_id: str) -> None:
    answer = google.call("POST", body={**hour("2026-12-01T10:00"), "id": event_id})

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalid")
    assert answer.get_json()["error"]["message"] == "Invalid resource id value."


def test_a_clients_id_is_taken_even_by_a_deleted_event(google: Google) -> None:
    google.insert(id="abc123")
    again = google.call("POST", body={**hour("2026-12-01T10:00"), "id": "abc123"})
    google.delete("abc123")

    after = google.call("POST", body={**hour("2026-12-01T10:00"), "id": "abc123"})

    assert refusal(again) == (HTTPStatus.CONFLICT, "duplicate")
    assert refusal(after) == (HTTPStatus.CONFLICT, "duplicate")


def test_the_same_id_is_free_on_another_calendar(google: Google) -> None:
    google.insert(id="abc123")

    made = google.insert(BEN, id="abc123")

    assert made["organizer"]["email"] == BEN


def test_long_keys_are_dropped_and_long_values_cut_in_silence(google: Google) -> None:
    made = google.insert(
        extendedProperties={"private": {"k" * 45: "1", "k" * 44: "v" * 2000}}
    )

    assert made["extendedProperties"]["private"] == {"k" * 44: "v" * 1024}


def test_too_many_extended_properties_are_refused(google: Google) -> None:
    many = {f"key{number}": "v" for number in range(301)}
    large = {f"key{number}": "v" * 1024 for number in range(33)}

    for properties in (many, large):
        body = {
            **hour("2026-12-01T10:00"),
            "extendedProperties": {"shared": properties},
        }
        answer = google.call("POST", body=body)

        assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalid")


def test_an_imported_event_is_a_private_copy_under_its_own_uid(google: Google) -> None:
    body = {
        **hour("2026-12-01T10:00"),
        "iCalUID": "meeting-7@elsewhere.example.com",
        "organizer": {"email": "boss@elsewhere.example.com"},
        "attendees": guests(ANNA, BEN),
    }

    made = google.call("POST", "import", body).get_json()
    again = google.call("POST", "import", body | {"summary": "Renamed"}).get_json()

    assert made["iCalUID"] == "meeting-7@elsewhere.example.com"
    assert made["id"].startswith("_")
    assert (again["id"], again["summary"]) == (made["id"], "Renamed")
    assert google.rows(BEN) == []


def test_an_import_needs_an_uid(google: Google) -> None:
    answer = google.call("POST", "import", hour("2026-12-01T10:00"))

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "required")
