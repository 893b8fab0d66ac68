"""The simulated Calendar API: single events, changed, deleted, revived and moved."""

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


def test_each_change_gives_a_new_etag(google: Google) -> None:
    made = google.insert()

    changed = google.patch(made["id"], {"summary": "Moved"})

    assert changed["etag"] != made["etag"]
    assert google.get(made["id"])["etag"] == changed["etag"]


def test_a_patch_of_identical_values_changes_nothing(google: Google) -> None:
    made = google.insert()

    same = google.patch(made["id"], {"summary": made["summary"]})

    assert same == made


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_stale_if_match_is_a_412_and_changes_nothing(
    google: Google, method: str
) -> None:
    made = google.insert()
    changed = google.patch(made["id"], {"summary": "Newer"})
    body = {**hour("2026-12-01T10:00"), "summary": "Older"}

    answer = google.call(method, made["id"], body, if_match=made["etag"])

    assert refusal(answer) == (HTTPStatus.PRECONDITION_FAILED, "conditionNotMet")
    assert google.get(made["id"]) == changed


@pytest.mark.parametrize("etag", ["*", "current"])
def test_a_matching_if_match_lets_the_write_pass(google: Google, etag: str) -> None:
    made = google.insert()
    if_match = made["etag"] if etag == "current" else etag

    answer = google.call("PATCH", made["id"], {"summary": "New"}, if_match=if_match)

    assert answer.get_json()["summary"] == "New"


def test_an_unchanged_event_is_not_sent_again(google: Google) -> None:
    made = google.insert()

    answer = google.send(
        "GET",
        f"calendars/primary/events/{made['id']}",
        headers={"If-None-Match": made["etag"]},
    )

    assert answer.status_code == HTTPStatus.NOT_MODIFIED
    assert answer.data == b""


def test_a_patch_leaves_what_it_does_not_name_and_clears_nulls(google: Google) -> None:
    made = google.insert(description="Agenda", location="Room 1")

    changed = google.patch(made["id"], {"summary": "New", "location": None})

    assert changed["description"] == "Agenda"
    assert changed["summary"] == "New"
    assert "location" not in changed


def test_an_update_clears_what_it_leaves_out(google: Google) -> None:
    made = google.insert(
        description="Agenda", extendedProperties={"private": {"crmTaskId": "7"}}
    )

    answer = google.call(
        "PUT", made["id"], {**hour("2026-12-01T10:00"), "summary": "New"}
    )

    changed = answer.get_json()
    assert "description" not in changed
    assert "extendedProperties" not in changed
    assert changed["iCalUID"] == made["iCalUID"]
    assert changed["created"] == made["created"]


def test_an_update_without_times_fails(google: Google) -> None:
    made = google.insert()

    answer = google.call("PUT", made["id"], {"summary": "New"})

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "required")


def test_a_patch_from_timed_to_all_day_has_to_clear_the_time(google: Google) -> None:
    made = google.insert()
    both = google.call("PATCH", made["id"], days("2026-12-01", "2026-12-02"))

    cleared = google.patch(
        made["id"],
        {
            "start": {"date": "2026-12-01", "dateTime": None, "timeZone": None},
            "end": {"date": "2026-12-02", "dateTime": None, "timeZone": None},
        },
    )

    assert refusal(both) == (HTTPStatus.BAD_REQUEST, "invalid")
    assert cleared["start"] == {"date": "2026-12-01"}


def test_a_patch_that_ends_in_nonsense_changes_nothing(google: Google) -> None:
    made = google.insert()

    answer = google.call(
        "PATCH", made["id"], {"end": {"dateTime": "2026-12-01T09:00:00+01:00"}}
    )

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "timeRangeEmpty")
    assert google.get(made["id"]) == made


def test_a_new_time_raises_the_sequence_and_a_new_title_does_not(
    google: Google,
) -> None:
    made = google.insert()

    titled = google.patch(made["id"], {"summary": "New"})
    moved = google.patch(made["id"], hour("2026-12-01T12:00"))

    assert (titled["sequence"], moved["sequence"]) == (0, 1)


def test_a_sequence_below_the_present_one_is_refused(google: Google) -> None:
    made = google.insert(sequence=3)

    answer = google.call("PATCH", made["id"], {"sequence": 2})

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalid")


def test_extended_properties_merge_by_key_in_a_patch(google: Google) -> None:
    made = google.insert(extendedProperties={"private": {"a": "1", "b": "2"}})

    changed = google.patch(
        made["id"], {"extendedProperties": {"private": {"b": None, "c": "3"}}}
    )

    assert changed["extendedProperties"] == {"private": {"a": "1", "c": "3"}}


def test_a_change_of_reminders_is_none_that_updated_shows(google: Google) -> None:
    made = google.insert()
    google.clock.advance(minutes=1)
    overrides = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}

    changed = google.patch(made["id"], {"reminders": overrides})

    assert changed["reminders"] == overrides
    assert changed["updated"] == made["updated"]
    assert changed["etag"] != made["etag"]


def test_default_reminders_take_the_place_of_overrides(google: Google) -> None:
    overrides = [{"method": "popup", "minutes": 5}]
    made = google.insert(reminders={"useDefault": False, "overrides": overrides})

    changed = google.patch(made["id"], {"reminders": {"useDefault": True}})

    assert changed["reminders"] == {"useDefault": True}


def test_a_deleted_event_can_be_read_and_not_deleted_again(google: Google) -> None:
    made = google.insert()

    first = google.call("DELETE", made["id"])
    second = google.call("DELETE", made["id"])

    assert (first.status_code, first.data) == (HTTPStatus.NO_CONTENT, b"")
    assert refusal(second) == (HTTPStatus.GONE, "deleted")
    found = google.get(made["id"])
    assert (found["status"], found["summary"]) == ("cancelled", "Kick-off")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_deleted_event_changes_only_by_coming_back(
    google: Google, method: str
) -> None:
    made = google.insert()
    google.delete(made["id"])
    body = {**hour("2026-12-01T10:00"), "summary": "Again"}

    ghost = google.call(method, made["id"], body)
    alive = google.call(method, made["id"], {**body, "status": "confirmed"})

    assert refusal(ghost) == (HTTPStatus.FORBIDDEN, "forbidden")
    assert alive.get_json()["status"] == "confirmed"
    assert alive.get_json()["summary"] == "Again"


def test_an_unknown_event_is_a_404(google: Google) -> None:
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = google.call(method, "nothing", hour("2026-12-01T10:00"))

        assert refusal(answer) == (HTTPStatus.NOT_FOUND, "notFound")


def test_a_locked_event_of_somebody_else_cannot_be_changed(google: Google) -> None:
    planted = google.order(
        "events",
        calendar=ANNA,
        event={
            **hour("2026-12-01T10:00"),
            "summary": "Flight",
            "locked": True,
            "organizer": {"email": "airline@example.net"},
        },
    )

    answer = google.call("PATCH", planted["id"], {"summary": "Mine"})
    colour = google.patch(planted["id"], {"colorId": "3"})

    assert refusal(answer) == (HTTPStatus.FORBIDDEN, "forbidden")
    assert (colour["locked"], colour["summary"]) == (True, "Flight")


def test_an_event_of_gmail_takes_only_some_changes(google: Google) -> None:
    planted = google.order(
        "events",
        calendar=ANNA,
        event={**hour("2026-12-01T10:00"), "eventType": "fromGmail"},
    )

    answer = google.call("PATCH", planted["id"], {"location": "Gate 7"})
    allowed = google.patch(planted["id"], {"transparency": "transparent"})

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalid")
    assert allowed["eventType"] == "fromGmail"


@pytest.mark.parametrize(
    "fields",
    [
        {"eventType": "focusTime"},
        {"eventType": "outOfOffice"},
        {
            "eventType": "workingLocation",
            "visibility": "public",
            "transparency": "transparent",
        },
        {
            "eventType": "birthday",
            "visibility": "private",
            "transparency": "transparent",
            "recurrence": ["RRULE:FREQ=YEARLY"],
            **days("2026-12-01", "2026-12-02"),
        },
    ],
)
def test_other_event_types_are_taken_on_a_primary_calendar(
    google: Google, fields: dict[str, Any]
) -> None:
    made = google.insert(**fields)

    assert made["eventType"] == fields["eventType"]


def test_a_move_hands_the_event_to_another_calendar(google: Google) -> None:
    second = google.order("calendars", account=ANNA, summary="Sales")["id"]
    made = google.insert()

    answer = google.call("POST", f"{made['id']}/move", destination=second)

    assert answer.get_json()["status"] == "cancelled"
    moved = google.call("GET", made["id"], calendar=second).get_json()
    assert moved["status"] == "confirmed"
    assert moved["organizer"] == {
        "email": second,
        "displayName": "Sales",
        "self": True,
    }
    left = google.get(made["id"])
    assert left.keys() == {"kind", "etag", "id", "status"}
    assert left["status"] == "cancelled"


def test_a_moved_event_may_be_moved_back(google: Google) -> None:
    second = google.order("calendars", account=ANNA, summary="Sales")["id"]
    event = google.insert()["id"]
    google.call("POST", f"{event}/move", destination=second)

    answer = google.call(
        "POST", f"{event}/move", calendar=second, destination="primary"
    )

    assert answer.status_code == HTTPStatus.OK
    assert google.get(event)["status"] == "confirmed"
    assert google.get(event)["organizer"] == {"email": ANNA, "self": True}


def test_only_a_default_event_of_ones_own_can_be_moved(google: Google) -> None:
    second = google.order("calendars", account=ANNA, summary="Sales")["id"]
    focus = google.insert(eventType="focusTime")
    invited = google.insert(BEN, attendees=guests(ANNA))

    for event, status in ((focus, 400), (invited, 403)):
        answer = google.call("POST", f"{event['id']}/move", destination=second)

        assert answer.status_code == status


def test_a_move_without_destination_is_a_400(google: Google) -> None:
    made = google.insert()

    answer = google.call("POST", f"{made['id']}/move")

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "required")
