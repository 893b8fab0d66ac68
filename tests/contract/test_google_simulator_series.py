"""The simulated Calendar API: recurring events, their occurrences and exceptions."""

from http import HTTPStatus

import pytest

from tests.contract.google_simulator import (
    BEN,
    Google,
    Row,
    days,
    guests,
    hour,
    refusal,
)

WEEK = {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-08T00:00:00Z"}


@pytest.fixture
def google() -> Google:
    return Google()


def _daily(google: Google, **fields: object) -> str:
    series = google.insert(**{"recurrence": ["RRULE:FREQ=DAILY"], **fields})
    return str(series["id"])


def _starts(rows: list[Row]) -> list[str]:
    return [row["start"].get("dateTime", row["start"].get("date")) for row in rows]


def test_a_series_is_one_row_or_all_its_occurrences(google: Google) -> None:
    series = _daily(google)

    masters = google.rows()
    occurrences = google.rows(singleEvents="true", **WEEK)

    assert [row["id"] for row in masters] == [series]
    assert len(occurrences) == 7
    assert occurrences[0]["id"] == f"{series}_20261201T090000Z"
    assert {row["recurringEventId"] for row in occurrences} == {series}
    assert occurrences[0]["originalStartTime"] == occurrences[0]["start"]
    assert "recurrence" not in occurrences[0]


def test_occurrences_of_an_all_day_series_are_named_by_date(google: Google) -> None:
    series = _daily(google, **days("2026-12-01", "2026-12-03"))

    rows = google.rows(singleEvents="true", orderBy="startTime", **WEEK)

    assert rows[1]["id"] == f"{series}_20261202"
    assert rows[1]["start"] == {"date": "2026-12-02"}
    assert rows[1]["end"] == {"date": "2026-12-04"}


def test_a_series_keeps_its_hour_across_summer_time(google: Google) -> None:
    _daily(google, **hour("2026-10-24T10:00"))

    rows = google.rows(singleEvents="true", timeMax="2026-10-27T00:00:00Z")

    assert _starts(rows) == [
        "2026-10-24T10:00:00+02:00",
        "2026-10-25T10:00:00+01:00",
        "2026-10-26T10:00:00+01:00",
    ]


@pytest.mark.parametrize(
    ("lines", "days_of_december"),
    [
        (["RRULE:FREQ=DAILY;COUNT=3"], [1, 2, 3]),
        (["RRULE:FREQ=DAILY;UNTIL=20261203T090000Z"], [1, 2, 3]),
        (["RRULE:FREQ=DAILY;UNTIL=20261203T085959Z"], [1, 2]),
        (["RRULE:FREQ=DAILY;UNTIL=20261203"], [1, 2, 3]),
        (["RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3"], [1, 3, 8]),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261202T090000Z"], [1, 3]),
        (
            [
                "RRULE:FREQ=DAILY;COUNT=2",
                "EXDATE;TZID=Europe/Berlin:20261201T100000",
                "RDATE;TZID=Europe/London:20261205T090000",
            ],
            [2, 5],
        ),
        (["RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"], [2, 4]),
    ],
)
def test_rules_mean_what_rfc_5545_says(
    google: Google, lines: list[str], days_of_december: list[int]
) -> None:
    _daily(google, recurrence=lines)

    rows = google.rows(singleEvents="true", orderBy="startTime")

    assert [int(start[8:10]) for start in _starts(rows)] == days_of_december


def test_a_series_without_end_is_listed_a_limited_way(google: Google) -> None:
    _daily(google)

    rows = google.rows(singleEvents="true")

    assert len(rows) == 730


def test_a_series_is_soon_known_not_to_reach_a_far_future(google: Google) -> None:
    _daily(google, recurrence=["RRULE:FREQ=DAILY"])

    assert google.rows(singleEvents="true", timeMin="9000-01-01T00:00:00Z") == []


def test_a_series_is_in_a_window_when_an_occurrence_is(google: Google) -> None:
    series = _daily(google, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])

    inside = google.rows(timeMin="2026-12-03T00:00:00Z")
    outside = google.rows(timeMin="2026-12-04T00:00:00Z")

    assert [row["id"] for row in inside] == [series]
    assert outside == []


def test_an_edit_of_one_occurrence_is_an_exception(google: Google) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"

    changed = google.patch(second, {"summary": "Longer", **hour("2026-12-02T15:00")})

    assert changed["id"] == second
    assert changed["originalStartTime"]["dateTime"] == "2026-12-02T10:00:00+01:00"
    assert changed["sequence"] == 1
    rows = google.rows(singleEvents="true", orderBy="startTime", **WEEK)
    assert [row["summary"] for row in rows] == ["Kick-off", "Longer"] + ["Kick-off"] * 5
    assert _starts(rows)[1] == "2026-12-02T15:00:00+01:00"
    masters = google.rows()
    assert {row["id"] for row in masters} == {series, second}


def test_a_stricter_visibility_of_one_occurrence_is_the_whole_series(
    google: Google,
) -> None:
    series = _daily(google, attendees=guests(BEN))
    first, second = (f"{series}_2026120{day}T090000Z" for day in (1, 2))
    google.patch(first, {"summary": "First"})

    google.patch(second, {"visibility": "private"})
    google.patch(second, {"visibility": "public"})

    for event in (series, first, second):
        assert google.get(event)["visibility"] == "private"
        assert google.get(event, BEN)["visibility"] == "private"


def test_the_rows_of_a_series_change_together(google: Google) -> None:
    series = _daily(google)
    before = google.get(series)
    first = google.patch(f"{series}_20261201T090000Z", {"summary": "First"})
    token = google.sync_token()

    google.patch(f"{series}_20261202T090000Z", {"summary": "Second"})

    rows = google.rows(syncToken=token)
    assert [row.get("summary") for row in rows] == ["Kick-off", "First", "Second"]
    assert len({row["etag"] for row in rows}) == 1
    assert rows[0]["etag"] not in (before["etag"], first["etag"])


def test_a_deleted_occurrence_is_bare_in_every_list_of_series(google: Google) -> None:
    series = _daily(google)
    third = f"{series}_20261203T090000Z"

    google.delete(third)

    (cancelled,) = [row for row in google.rows() if row["id"] == third]
    assert cancelled == {
        "kind": "calendar#event",
        "etag": cancelled["etag"],
        "id": third,
        "status": "cancelled",
        "recurringEventId": series,
        "originalStartTime": {
            "dateTime": "2026-12-03T10:00:00+01:00",
            "timeZone": "Europe/Berlin",
        },
    }
    assert google.get(third)["status"] == "cancelled"
    assert len(google.rows(singleEvents="true", **WEEK)) == 6
    shown = google.rows(singleEvents="true", showDeleted="true", **WEEK)
    assert third in {row["id"] for row in shown}


def test_a_status_of_cancelled_cancels_an_occurrence_too(google: Google) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"

    google.patch(second, {"status": "cancelled"})
    gone = google.call("DELETE", second)
    back = google.patch(second, {"status": "confirmed"})

    assert refusal(gone) == (HTTPStatus.GONE, "deleted")
    assert (back["status"], back["summary"]) == ("confirmed", "Kick-off")
    assert len(google.rows(singleEvents="true", **WEEK)) == 7


def test_an_occurrence_that_the_series_does_not_have_is_a_404(google: Google) -> None:
    series = _daily(google)

    for suffix in ("20261202T100000Z", "20261202", "20260101T090000Z", "x"):
        answer = google.call("GET", f"{series}_{suffix}")

        assert refusal(answer) == (HTTPStatus.NOT_FOUND, "notFound")


def test_a_change_of_the_series_reaches_what_an_exception_left_alone(
    google: Google,
) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"
    google.patch(second, {"summary": "Special"})

    google.patch(series, {"summary": "Stand-up", "location": "Room 1"})

    exception = google.get(second)
    assert (exception["summary"], exception["location"]) == ("Special", "Room 1")
    assert google.get(f"{series}_20261203T090000Z")["summary"] == "Stand-up"


def test_moving_the_series_voids_its_exceptions(google: Google) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"
    google.patch(second, {"summary": "Special"})
    token = google.sync_token()

    google.patch(series, hour("2026-12-01T11:00"))

    rows = google.rows(singleEvents="true", **WEEK)
    assert {row["summary"] for row in rows} == {"Kick-off"}
    assert len(rows) == 7
    assert google.call("GET", second).status_code == HTTPStatus.NOT_FOUND
    delta = {row["id"]: row["status"] for row in google.rows(syncToken=token)}
    assert delta == {series: "confirmed", second: "cancelled"}


def test_deleting_the_series_cancels_its_exceptions_and_reviving_brings_them_back(
    google: Google,
) -> None:
    series = _daily(google)
    special, dropped = f"{series}_20261202T090000Z", f"{series}_20261203T090000Z"
    google.patch(special, {"summary": "Special"})
    google.delete(dropped)
    token = google.sync_token()

    google.delete(series)
    delta = google.rows(syncToken=token)
    hidden = google.rows()
    google.patch(series, {"status": "confirmed"})

    assert {row["status"] for row in delta} == {"cancelled"}
    assert {row["id"] for row in delta} == {series, special, dropped}
    assert hidden == []
    assert google.get(special)["summary"] == "Special"
    assert google.get(dropped)["status"] == "cancelled"


def test_a_deleted_series_shows_half_a_year_of_cancelled_occurrences(
    google: Google,
) -> None:
    series = _daily(google, recurrence=["RRULE:FREQ=WEEKLY"])
    token = google.sync_token(singleEvents="true")

    google.delete(series)

    rows = google.rows(syncToken=token, singleEvents="true")
    assert {row["status"] for row in rows} == {"cancelled"}
    assert 20 < len(rows) < 30


def test_instances_are_listed_in_a_window_that_includes_its_start(
    google: Google,
) -> None:
    series = _daily(google)
    google.delete(f"{series}_20261203T090000Z")
    window = {
        "timeMin": "2026-12-01T11:00:00+01:00",
        "timeMax": "2026-12-04T10:00:00+01:00",
    }

    alive = google.call("GET", f"{series}/instances", **window).get_json()
    every = google.call(
        "GET", f"{series}/instances", showDeleted="true", **window
    ).get_json()

    assert [row["start"]["dateTime"][8:10] for row in alive["items"]] == ["01", "02"]
    assert [row["id"][-16:-8] for row in every["items"]] == [
        "20261201",
        "20261202",
        "20261203",
    ]
    assert "nextSyncToken" not in alive


def test_instances_come_in_pages(google: Google) -> None:
    series = _daily(google, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    path = f"{series}/instances"

    first = google.call("GET", path, maxResults="2").get_json()
    last = google.call(
        "GET", path, maxResults="2", pageToken=first["nextPageToken"]
    ).get_json()

    assert (len(first["items"]), len(last["items"])) == (2, 1)


def test_instances_of_an_occurrence_are_that_occurrence(google: Google) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"

    alive = google.call("GET", f"{second}/instances").get_json()
    google.delete(second)
    cancelled = google.call("GET", f"{second}/instances").get_json()

    assert [row["id"] for row in alive["items"]] == [second]
    assert cancelled["items"] == []


def test_an_instance_is_found_by_its_original_start(google: Google) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"
    google.patch(second, hour("2026-12-05T18:00"))

    found = google.call(
        "GET", f"{series}/instances", originalStart="2026-12-02T10:00:00+01:00"
    ).get_json()

    assert [row["id"] for row in found["items"]] == [second]


def test_an_occurrence_moved_out_of_a_window_is_not_in_it(google: Google) -> None:
    series = _daily(google)
    google.patch(f"{series}_20261202T090000Z", hour("2026-12-20T18:00"))
    moved_in = f"{series}_20261215T090000Z"
    google.patch(moved_in, hour("2026-12-03T18:00"))

    rows = google.rows(singleEvents="true", orderBy="startTime", **WEEK)

    assert len(rows) == 7
    assert moved_in in {row["id"] for row in rows}
    assert f"{series}_20261202T090000Z" not in {row["id"] for row in rows}


def test_an_occurrence_has_no_rule_and_no_organizer_of_its_own(google: Google) -> None:
    series = _daily(google)
    second = f"{series}_20261202T090000Z"
    other = google.order("calendars", account="anna@example.com", summary="Sales")

    changed = google.patch(second, {"recurrence": ["RRULE:FREQ=WEEKLY"]})
    moved = google.call("POST", f"{second}/move", destination=other["id"])

    assert "recurrence" not in changed
    assert refusal(moved) == (HTTPStatus.BAD_REQUEST, "invalid")


def test_this_and_following_shortens_the_series_and_starts_another(
    google: Google,
) -> None:
    series = _daily(google)
    fourth = f"{series}_20261204T090000Z"
    google.clock.advance(minutes=5)

    follower = google.order(
        "split-series",
        calendar="anna@example.com",
        event_id=fourth,
        changes={"summary": "New round"},
    )

    old = google.get(series)
    assert old["recurrence"] == ["RRULE:FREQ=DAILY;UNTIL=20261203T225959Z"]
    assert follower["id"] == f"{series}_R20261204T090000"
    assert follower["iCalUID"] == f"{follower['id']}@google.com"
    assert follower["created"] == old["created"]
    assert follower["recurrence"] == ["RRULE:FREQ=DAILY"]
    rows = google.rows(singleEvents="true", orderBy="startTime", **WEEK)
    assert [row["summary"] for row in rows] == ["Kick-off"] * 3 + ["New round"] * 4


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=5", "COUNT=5;FREQ=DAILY"])
def test_this_and_following_share_the_occurrences_that_a_series_counts(
    google: Google, rule: str
) -> None:
    series = _daily(google, recurrence=[f"RRULE:{rule}"])
    fourth = google.rows(singleEvents="true", orderBy="startTime", **WEEK)[3]["id"]

    google.order("split-series", calendar="anna@example.com", event_id=fourth)

    rows = google.rows(singleEvents="true", orderBy="startTime", **WEEK)
    assert len(rows) == 5
    assert [row["recurringEventId"] == series for row in rows] == [True] * 3 + [
        False
    ] * 2
