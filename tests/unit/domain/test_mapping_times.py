"""Times: due date and duration in the CRM, start and end in Google."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain import errors, mapping
from shared.domain.model import AllDay, Field, Timed
from shared.domain.settings import Settings
from tests.unit.domain.records import (
    DIRECTORY,
    NEW_YORK,
    NOON,
    ONE,
    SETTINGS,
    ZURICH,
    days,
    event,
    event_body,
    event_patch,
    meeting,
    meeting_of,
    meeting_on,
    task,
    task_body,
    task_patch,
    timed,
)

WHEN = frozenset({Field.WHEN})
ALL_DAY = {"due_at": None, "due_date": "2026-03-02", "duration_minutes": None}


def at(time: str, zone: str | None = ZURICH) -> dict[str, str]:
    """Return an edge of a timed event."""
    return {"dateTime": time} | ({"timeZone": zone} if zone else {})


# -- from the CRM -----------------------------------------------------------------


def test_a_task_lasts_from_its_due_time_for_its_duration() -> None:
    read = meeting_of(task(duration_minutes=45))

    assert read.when == Timed(start=NOON, end=NOON + timedelta(minutes=45), zone=ZURICH)


def test_a_due_time_may_come_with_any_offset() -> None:
    read = meeting_of(task(due_at="2026-03-02T17:30:00+05:30"))

    assert read.when == timed(NOON)


@pytest.mark.parametrize(
    ("type_name", "minutes"), [("Meeting", 60), ("Call", 30), ("To-do", 60)]
)
def test_a_task_without_duration_gets_the_default_of_its_type(
    type_name: str, minutes: int
) -> None:
    read = meeting_of(task(type=type_name, duration_minutes=None))

    assert read.when == timed(minutes=minutes)


def test_the_default_durations_are_the_admins_choice() -> None:
    settings = Settings(default_duration_minutes={"Meeting": 15})

    read = meeting_of(task(duration_minutes=None), settings=settings)

    assert read.when == timed(minutes=15)


def test_no_minutes_are_a_duration() -> None:
    read = meeting_of(task(duration_minutes=0))

    assert read.when == timed(minutes=0)


def test_fractions_of_seconds_do_not_count_as_google_drops_them() -> None:
    of_task = meeting_of(task(due_at="2026-03-02T12:00:00.987654Z"))
    of_event = meeting_on(
        event(start=at("2026-03-02T12:00:00.987Z"), end=at("2026-03-02T13:00:00.999Z"))
    )

    assert of_task.when == of_event.when == timed()


def test_a_null_time_zone_is_the_owners() -> None:
    read = meeting_of(task(time_zone=None))

    assert read.when == timed(zone=ZURICH)


@pytest.mark.parametrize("owner_id", ["bob", "nobody"])
def test_an_owner_without_time_zone_lives_by_utc(owner_id: str) -> None:
    read = meeting_of(task(time_zone=None, owner_id=owner_id))

    assert read.when == timed(zone="UTC")


@pytest.mark.parametrize("unknown", ["Customized Time Zone", "Europe", "", "../UTC"])
def test_a_time_zone_that_nobody_knows_counts_as_none(unknown: str) -> None:
    read = meeting_of(task(time_zone=unknown))

    assert read.when == timed(zone=ZURICH)


def test_a_due_date_is_a_whole_day() -> None:
    read = meeting_of(task(**ALL_DAY))

    assert read.when == days("2026-03-02", "2026-03-03")


def test_a_due_date_lasts_for_its_days() -> None:
    read = meeting_of(task(**ALL_DAY, duration_days=3))

    assert read.when == days("2026-03-02", "2026-03-05")


def test_a_task_without_due_date_is_no_meeting() -> None:
    read = mapping.meeting_of_task(
        task(due_at=None), directory=DIRECTORY, settings=SETTINGS
    )

    assert read is None


@pytest.mark.parametrize(
    "fields",
    [
        {"duration_minutes": 10**12},
        {"due_at": "9999-12-31T23:30:00Z"},
        {"due_at": "9999-12-31T23:30:00-01:00"},
        {**ALL_DAY, "duration_days": 10**9},
        {**ALL_DAY, "due_date": "9999-12-31"},
    ],
)
def test_times_beyond_the_calendar_are_the_tasks_fault(
    fields: dict[str, object],
) -> None:
    with pytest.raises(errors.MappingError, match="task-1"):
        meeting_of(task(**fields))


# -- from Google ------------------------------------------------------------------


def test_an_event_is_an_instant_in_its_zone() -> None:
    read = meeting_on(event())

    assert read.when == Timed(start=NOON, end=ONE, zone=ZURICH)


def test_google_may_render_an_event_in_another_zone_than_its_own() -> None:
    rendered = event(
        start=at("2026-03-02T07:00:00-05:00", ZURICH),
        end=at("2026-03-02T08:00:00-05:00", ZURICH),
    )

    assert meeting_on(rendered).when == timed(zone=ZURICH)


@pytest.mark.parametrize("zone", [None, "Customized Time Zone"])
def test_an_event_without_a_zone_of_its_own_is_in_the_calendars(
    zone: str | None,
) -> None:
    read = event(
        start=at("2026-03-02T13:00:00", zone), end=at("2026-03-02T14:00:00", zone)
    )

    assert meeting_on(read).when == timed(zone=ZURICH)


def test_an_event_without_offset_is_in_its_own_zone() -> None:
    read = event(
        start=at("2026-03-02T07:00:00", NEW_YORK),
        end=at("2026-03-02T08:00:00", NEW_YORK),
    )

    assert meeting_on(read).when == timed(zone=NEW_YORK)


@pytest.mark.parametrize(
    ("end", "minutes"),
    [
        ("13:00:00", 0),
        ("13:00:01", 1),
        ("13:29:30", 30),
        ("13:30:00", 30),
    ],
)
def test_an_end_within_a_minute_counts_as_the_whole_minute(
    end: str, minutes: int
) -> None:
    read = meeting_on(
        event(start=at("2026-03-02T13:00:00+01:00"), end=at(f"2026-03-02T{end}+01:00"))
    )

    assert read.when == timed(minutes=minutes)


def test_an_all_day_event_ends_before_its_end() -> None:
    read = meeting_on(event(start={"date": "2026-03-02"}, end={"date": "2026-03-04"}))

    assert read.when == AllDay(first_on=date(2026, 3, 2), until_on=date(2026, 3, 4))


def test_an_all_day_event_of_no_days_is_a_day_for_the_crm() -> None:
    read = meeting_on(event(start={"date": "2026-03-02"}, end={"date": "2026-03-02"}))

    assert read.when == days("2026-03-02", "2026-03-03")


# -- to Google --------------------------------------------------------------------


def test_a_time_is_written_as_its_zones_clocks_show_it() -> None:
    body = event_body(meeting(when=timed(zone=NEW_YORK)))

    assert body["start"] == at("2026-03-02T07:00:00-05:00", NEW_YORK)
    assert body["end"] == at("2026-03-02T08:00:00-05:00", NEW_YORK)


def test_a_time_over_a_change_of_clocks_keeps_its_instants() -> None:
    start = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    body = event_body(meeting(when=timed(start, minutes=60)))

    assert body["start"]["dateTime"] == "2026-03-29T01:30:00+01:00"
    assert body["end"]["dateTime"] == "2026-03-29T03:30:00+02:00"
    assert meeting_on(event(**body)).when == timed(start, minutes=60)


def test_an_hour_that_comes_twice_keeps_its_instant() -> None:
    later = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    body = event_body(meeting(when=timed(later)))

    assert body["start"]["dateTime"] == "2026-10-25T02:30:00+01:00"
    assert meeting_on(event(**body)).when == timed(later)


def test_whole_days_are_written_as_dates() -> None:
    body = event_body(meeting(when=days("2026-03-02", "2026-03-04")))

    assert (body["start"], body["end"]) == (
        {"date": "2026-03-02"},
        {"date": "2026-03-04"},
    )


def test_a_change_within_a_kind_sends_the_times_only() -> None:
    body = event_patch(event(), meeting(when=timed(ONE)), WHEN)

    assert body == {
        "start": at("2026-03-02T14:00:00+01:00"),
        "end": at("2026-03-02T15:00:00+01:00"),
    }


def test_a_timed_event_becomes_all_day() -> None:
    body = event_patch(event(), meeting(when=days()), WHEN)

    away = {"dateTime": None, "timeZone": None}
    assert body == {
        "start": {"date": "2026-03-02"} | away,
        "end": {"date": "2026-03-03"} | away,
    }


def test_an_all_day_event_becomes_timed() -> None:
    whole = event(start={"date": "2026-03-02"}, end={"date": "2026-03-03"})

    body = event_patch(whole, meeting(), WHEN)

    assert body == {
        "start": at("2026-03-02T13:00:00+01:00") | {"date": None},
        "end": at("2026-03-02T14:00:00+01:00") | {"date": None},
    }


def test_of_a_bare_tombstone_either_kind_is_taken_away() -> None:
    bare = event(status="cancelled", start=None, end=None)

    timed_body = event_patch(bare, meeting(), WHEN)
    day_body = event_patch(bare, meeting(when=days()), WHEN)

    assert timed_body["start"]["date"] is None
    assert day_body["start"]["dateTime"] is None


# -- to the CRM -------------------------------------------------------------------


def test_a_new_task_has_a_due_time_a_duration_and_a_zone() -> None:
    body = task_body(meeting(when=timed(minutes=45, zone=NEW_YORK)), event())

    assert body["due_at"] == "2026-03-02T12:00:00+00:00"
    assert (body["duration_minutes"], body["time_zone"]) == (45, NEW_YORK)
    assert {"due_date", "duration_days"}.isdisjoint(body)


def test_a_new_task_of_whole_days_has_a_due_date_and_days() -> None:
    body = task_body(meeting(when=days("2026-03-02", "2026-03-05")), event())

    assert (body["due_date"], body["duration_days"]) == ("2026-03-02", 3)
    assert {"due_at", "duration_minutes", "time_zone"}.isdisjoint(body)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        (timed(ONE), {"due_at": "2026-03-02T13:00:00+00:00"}),
        (timed(minutes=30), {"duration_minutes": 30}),
        (timed(zone=NEW_YORK), {"time_zone": NEW_YORK}),
        (timed(), {}),
    ],
)
def test_only_the_part_of_a_time_that_differs_is_sent(
    target: Timed, sent: dict[str, object]
) -> None:
    body = task_patch(task(), meeting(when=target), WHEN)

    assert body == sent


def test_what_a_task_leaves_open_stays_open_while_it_says_the_same() -> None:
    sparse = task(duration_minutes=None, time_zone=None)

    body = task_patch(sparse, meeting(when=timed(ONE)), WHEN)

    assert body == {"due_at": "2026-03-02T13:00:00+00:00"}


def test_a_fraction_of_a_second_in_the_crm_is_left_alone() -> None:
    fine = task(due_at="2026-03-02T12:00:00.500Z")

    body = task_patch(fine, meeting(when=timed(minutes=30)), WHEN)

    assert body == {"duration_minutes": 30}


def test_a_timed_task_becomes_all_day() -> None:
    body = task_patch(task(), meeting(when=days()), WHEN)

    assert body == {
        "due_at": None,
        "duration_minutes": None,
        "due_date": "2026-03-02",
        "duration_days": 1,
    }


def test_an_all_day_task_becomes_timed() -> None:
    body = task_patch(task(**ALL_DAY), meeting(), WHEN)

    assert body == {
        "due_date": None,
        "duration_days": None,
        "due_at": "2026-03-02T12:00:00+00:00",
        "duration_minutes": 60,
        "time_zone": ZURICH,
    }


def test_an_all_day_task_moves_without_touching_its_due_time() -> None:
    body = task_patch(
        task(**ALL_DAY), meeting(when=days("2026-03-09", "2026-03-10")), WHEN
    )

    assert body == {"due_date": "2026-03-09", "duration_days": 1}
