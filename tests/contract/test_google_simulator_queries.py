"""The simulated Calendar API: what a list can be narrowed and ordered by."""

from http import HTTPStatus

import pytest

from tests.contract.google_simulator import (
    ANNA,
    BEN,
    Google,
    Row,
    days,
    done,
    guests,
    hour,
    refusal,
)

BARE = {"kind", "etag", "id", "status"}


@pytest.fixture
def google() -> Google:
    return Google()


def _ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def test_a_window_bounds_ends_and_starts_exclusively(google: Google) -> None:
    made = google.insert(**hour("2026-12-01T10:00"))

    touching = [
        google.rows(timeMin="2026-12-01T11:00:00+01:00"),
        google.rows(timeMax="2026-12-01T10:00:00+01:00"),
    ]
    overlapping = google.rows(
        timeMin="2026-12-01T10:59:00+01:00", timeMax="2026-12-01T11:30:00+01:00"
    )

    assert touching == [[], []]
    assert _ids(overlapping) == [made["id"]]


def test_an_all_day_event_begins_at_midnight_of_the_calendar(google: Google) -> None:
    made = google.insert(**days("2026-12-01", "2026-12-02"))

    before = google.rows(timeMax="2026-11-30T23:00:00Z")
    at_midnight = google.rows(timeMax="2026-11-30T23:00:01Z")

    assert before == []
    assert _ids(at_midnight) == [made["id"]]


def test_an_empty_window_is_a_400(google: Google) -> None:
    answer = google.call(
        "GET", timeMin="2026-12-02T00:00:00Z", timeMax="2026-12-02T00:00:00Z"
    )

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "timeRangeEmpty")


def test_updated_min_brings_changes_and_deletions_since(google: Google) -> None:
    google.insert()
    google.clock.advance(hours=1)
    edited, deleted = google.insert(), google.insert()
    google.delete(deleted["id"])

    rows = google.rows(updatedMin="2026-11-24T09:30:00Z")

    assert _ids(rows) == [edited["id"], deleted["id"]]
    assert rows[1].keys() == BARE


def test_updated_min_must_not_lie_too_far_back(google: Google) -> None:
    answer = google.call("GET", updatedMin="2020-01-01T00:00:00Z")

    assert refusal(answer) == (HTTPStatus.GONE, "updatedMinTooLongAgo")


def _many(google: Google, name: str, *values: str) -> list[Row]:
    """List with a parameter given several times."""
    path, query = "calendars/primary/events", {name: list(values)}
    rows: list[Row] = done(google.send("GET", path, query=query))["items"]
    return rows


def test_an_event_is_found_by_uid_and_by_extended_property(google: Google) -> None:
    google.insert()
    made = google.insert(
        extendedProperties={"private": {"crmTaskId": "7"}, "shared": {"room": "1"}}
    )

    found = [
        google.rows(iCalUID=made["iCalUID"]),
        google.rows(privateExtendedProperty="crmTaskId=7"),
        google.rows(sharedExtendedProperty="room=1"),
    ]
    missed = [
        google.rows(privateExtendedProperty="crmTaskId=8"),
        google.rows(sharedExtendedProperty="crmTaskId=7"),
        _many(google, "privateExtendedProperty", "crmTaskId=7", "other=1"),
    ]

    assert [_ids(rows) for rows in found] == [[made["id"]]] * 3
    assert missed == [[], [], []]


def test_a_search_gives_no_sync_token(google: Google) -> None:
    (page,) = google.pages(q="kick")

    assert "nextSyncToken" not in page


def test_event_types_can_be_chosen(google: Google) -> None:
    google.insert()
    focus = google.insert(eventType="focusTime")

    rows = _many(google, "eventTypes", "focusTime", "outOfOffice")

    assert _ids(rows) == [focus["id"]]


def test_order_by_start_time_needs_single_events(google: Google) -> None:
    late = google.insert(**hour("2026-12-03T10:00"))
    early = google.insert(**hour("2026-12-01T10:00"))

    refused = google.call("GET", orderBy="startTime")
    rows = google.rows(orderBy="startTime", singleEvents="true")

    assert refusal(refused) == (HTTPStatus.BAD_REQUEST, "invalid")
    assert _ids(rows) == [early["id"], late["id"]]


def test_too_many_attendees_leave_only_ones_own_row(google: Google) -> None:
    made = google.insert(attendees=guests(ANNA, BEN))

    (row,) = google.rows(maxAttendees="1")

    assert [guest["email"] for guest in row["attendees"]] == [ANNA]
    assert row["attendeesOmitted"] is True
    assert "attendeesOmitted" not in google.get(made["id"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("orderBy", "title"),
        ("maxResults", "many"),
        ("maxResults", "0"),
        ("singleEvents", "yes"),
        ("timeMin", "2026-12-01T00:00:00"),
        ("timeMin", "tomorrow"),
        ("timeZone", "Mars/Olympus"),
        ("eventTypes", "holiday"),
    ],
)
def test_a_query_that_google_does_not_know_is_a_400(
    google: Google, name: str, value: str
) -> None:
    answer = google.call("GET", **{name: value})

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalidParameter")
    assert answer.get_json()["error"]["errors"][0]["location"] == name


def test_a_long_query_may_travel_as_a_post(google: Google) -> None:
    made = google.insert()

    answer = google.client.post(
        f"/calendar/v3/calendars/{ANNA}/events",
        data={"q": "kick", "alt": "json"},
        headers={
            "Authorization": f"Bearer demo-{ANNA}",
            "X-HTTP-Method-Override": "GET",
        },
    )

    assert _ids(answer.get_json()["items"]) == [made["id"]]


def test_order_by_update_follows_what_updated_shows(google: Google) -> None:
    first = google.insert()["id"]
    google.clock.advance(seconds=1)
    second = google.insert()["id"]
    google.clock.advance(seconds=1)
    # Of a changed reminder `updated` shows nothing.
    google.patch(first, {"reminders": {"useDefault": False}})

    assert _ids(google.rows(orderBy="updated")) == [first, second]
