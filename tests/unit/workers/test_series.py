"""A series in Google is one task per occurrence inside the window, both ways."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.series import (
    FIRST,
    THIRD,
    WEEKLY,
    account,
    add_series,
    at,
    occurrence,
    statuses,
    task_at,
    tasks,
    titles,
)
from tests.unit.workers.world import World

TUESDAYS = 13
"""How many of them the window has, from 3 March to the end of May."""


# -- what there is ----------------------------------------------------------------


def test_each_occurrence_inside_the_window_is_a_task(simulated: World) -> None:
    add_series(simulated)

    found = tasks(simulated)
    assert len(found) == TUESDAYS
    assert {task["title"] for task in found} == {"Standup"}
    assert found[0]["google_event_id"] == occurrence(FIRST)


def test_occurrences_keep_their_hour_when_the_clocks_change(simulated: World) -> None:
    add_series(simulated)

    starts = [at(task) for task in tasks(simulated)]
    before, after = starts[3], starts[4]
    assert before == datetime(2026, 3, 24, 9, 0, tzinfo=UTC)
    assert after == datetime(2026, 3, 31, 8, 0, tzinfo=UTC)


def test_a_series_without_end_costs_no_more_than_its_window(simulated: World) -> None:
    add_series(simulated, recurrence=["RRULE:FREQ=DAILY"])

    assert len(tasks(simulated)) == 90
    assert simulated.ann.calls == ["list_events", "list_instances"]


def test_a_series_that_began_long_ago_is_there_from_the_start_of_the_window(
    simulated: World,
) -> None:
    add_series(simulated, day="2024-01-02")

    found = tasks(simulated)
    assert at(found[0]) == datetime(2026, 2, 3, 9, 0, tzinfo=UTC)


def test_extra_and_left_out_dates_count(simulated: World) -> None:
    lines = [
        WEEKLY,
        "EXDATE;TZID=Europe/Berlin:20260310T100000",
        "RDATE;TZID=Europe/Berlin:20260312T100000",
    ]

    add_series(simulated, recurrence=lines)

    days = [at(task).date().isoformat() for task in tasks(simulated)[:3]]
    assert days == ["2026-03-03", "2026-03-12", "2026-03-17"]


def test_whole_days_recur_too(simulated: World) -> None:
    simulated.settings(include_all_day=True)

    add_series(
        simulated,
        start={"date": "2026-03-03"},
        end={"date": "2026-03-04"},
    )

    found = tasks(simulated)
    assert len(found) == TUESDAYS
    assert found[0]["due_date"] == "2026-03-03"
    assert found[0]["google_event_id"] == "standup_20260303"


def test_no_occurrence_gets_a_tag_of_its_own(simulated: World) -> None:
    add_series(simulated)
    task = task_at(simulated, THIRD)

    simulated.edit_task(task["id"], title="Retrospective")
    simulated.settle()

    assert "extendedProperties" not in simulated.ann.event(occurrence(THIRD))


# -- one occurrence ---------------------------------------------------------------


def test_an_edit_of_one_occurrence_reaches_its_task_only(simulated: World) -> None:
    add_series(simulated)
    simulated.forget_calls()

    simulated.edit_event(occurrence(THIRD), summary="Retrospective")
    simulated.settle()

    assert titles(simulated) == [
        "Standup",
        "Standup",
        "Retrospective",
        *10 * ["Standup"],
    ]
    assert simulated.crm_side.calls.count("update_task") == 1


def test_the_others_are_not_looked_at_because_one_was_edited(simulated: World) -> None:
    add_series(simulated)
    before = len(simulated.items())

    simulated.edit_event(occurrence(THIRD), summary="Retrospective")
    simulated.settle()

    assert len(simulated.items()) == before + 1


def test_an_edit_of_one_task_reaches_its_occurrence_only(simulated: World) -> None:
    add_series(simulated)
    task = task_at(simulated, THIRD)
    simulated.forget_calls()

    simulated.edit_task(task["id"], title="Retrospective")
    simulated.settle()
    simulated.calendar_changed()
    simulated.settle()

    assert simulated.ann.event(occurrence(THIRD))["summary"] == "Retrospective"
    assert simulated.ann.event("standup")["summary"] == "Standup"
    assert simulated.ann.calls.count("patch_event") == 1
    assert titles(simulated).count("Standup") == TUESDAYS - 1


def test_a_moved_occurrence_moves_its_task(simulated: World) -> None:
    add_series(simulated)

    simulated.edit_event(
        occurrence(THIRD),
        start={"dateTime": "2026-03-19T14:00:00Z"},
        end={"dateTime": "2026-03-19T14:30:00Z"},
    )
    simulated.settle()

    assert at(task_at(simulated, THIRD)) == datetime(2026, 3, 19, 14, 0, tzinfo=UTC)
    assert len(tasks(simulated)) == TUESDAYS


def test_a_moved_task_moves_its_occurrence(simulated: World) -> None:
    add_series(simulated)
    task = task_at(simulated, THIRD)

    simulated.edit_task(task["id"], due_at="2026-03-19T14:00:00Z")
    simulated.settle()

    start = simulated.ann.event(occurrence(THIRD))["start"]["dateTime"]
    assert datetime.fromisoformat(start) == datetime(2026, 3, 19, 14, 0, tzinfo=UTC)


def test_an_occurrence_can_be_moved_out_of_the_window_and_back(
    simulated: World,
) -> None:
    add_series(simulated)

    for day in ("2026-09-01", "2026-03-18"):
        simulated.edit_event(
            occurrence(THIRD),
            start={"dateTime": f"{day}T14:00:00Z"},
            end={"dateTime": f"{day}T14:30:00Z"},
        )
        simulated.settle()

        task = task_at(simulated, THIRD)
        assert at(task).date().isoformat() == day
        assert task["status"] == "open"


def test_a_cancelled_occurrence_cancels_its_task_only(simulated: World) -> None:
    add_series(simulated)

    simulated.ann.remove(occurrence(THIRD))
    simulated.calendar_changed()
    simulated.settle()

    assert task_at(simulated, THIRD)["status"] == "cancelled"
    assert statuses(simulated).count("open") == TUESDAYS - 1


@pytest.mark.parametrize("ending", ["cancelled", "deleted"])
def test_a_task_that_ends_cancels_its_occurrence_only(
    simulated: World, ending: str
) -> None:
    add_series(simulated)
    task = task_at(simulated, THIRD)

    if ending == "deleted":
        simulated.remove_task(task["id"])
    else:
        simulated.edit_task(task["id"], status="cancelled")
    simulated.settle()

    assert simulated.ann.event(occurrence(THIRD))["status"] == "cancelled"
    assert len(simulated.ann.live_events()) > TUESDAYS
    assert statuses(simulated).count("open") == TUESDAYS - 1


def test_a_restored_occurrence_reopens_its_task(simulated: World) -> None:
    add_series(simulated)
    simulated.ann.remove(occurrence(THIRD))
    simulated.calendar_changed()
    simulated.settle()

    simulated.edit_event(occurrence(THIRD), status="confirmed")
    simulated.settle()

    assert statuses(simulated) == TUESDAYS * ["open"]


def test_a_reopened_task_restores_its_occurrence(simulated: World) -> None:
    add_series(simulated)
    simulated.ann.remove(occurrence(THIRD))
    simulated.calendar_changed()
    simulated.settle()

    simulated.edit_task(task_at(simulated, THIRD)["id"], status="open")
    simulated.settle()

    assert simulated.ann.event(occurrence(THIRD))["status"] == "confirmed"
    assert statuses(simulated) == TUESDAYS * ["open"]


def test_a_completed_occurrence_keeps_its_event(simulated: World) -> None:
    add_series(simulated)
    simulated.forget_calls()

    simulated.edit_task(task_at(simulated, THIRD)["id"], status="completed")
    simulated.settle()

    assert simulated.ann.calls == []


# -- the whole series -------------------------------------------------------------


def test_a_new_title_of_the_series_reaches_every_task(simulated: World) -> None:
    add_series(simulated)
    ids = [task["id"] for task in tasks(simulated)]

    simulated.edit_event("standup", summary="Daily")
    simulated.settle()

    assert titles(simulated) == TUESDAYS * ["Daily"]
    assert [task["id"] for task in tasks(simulated)] == ids


@pytest.mark.parametrize(
    ("day", "hour", "rule"),
    [
        ("2026-03-03", "11:00", WEEKLY),
        ("2026-03-04", "10:00", "RRULE:FREQ=WEEKLY;BYDAY=WE"),
        ("2026-03-05", "16:30", "RRULE:FREQ=WEEKLY;BYDAY=TH"),
    ],
)
def test_a_series_at_other_hours_keeps_its_tasks(
    simulated: World, day: str, hour: str, rule: str
) -> None:
    add_series(simulated)
    ids = [task["id"] for task in tasks(simulated)]

    simulated.edit_event("standup", recurrence=[rule], **_hour(day, hour))
    simulated.settle()

    found = tasks(simulated)
    assert [task["id"] for task in found] == ids
    assert {task["status"] for task in found} == {"open"}
    assert at(found[0]) == datetime.fromisoformat(f"{day}T{hour}+01:00")


def test_a_series_can_be_moved_there_and_back(simulated: World) -> None:
    add_series(simulated)
    ids = [task["id"] for task in tasks(simulated)]

    simulated.edit_event("standup", **_hour("2026-03-03", "11:00"))
    simulated.settle()
    simulated.edit_event("standup", **_hour("2026-03-03", "10:00"))
    simulated.settle()

    assert [task["id"] for task in tasks(simulated)] == ids
    assert task_at(simulated, FIRST)["google_event_id"] == occurrence(FIRST)


def test_a_series_that_becomes_rarer_cancels_what_it_loses(simulated: World) -> None:
    add_series(simulated)

    simulated.edit_event("standup", recurrence=["RRULE:FREQ=WEEKLY;INTERVAL=2"])
    simulated.settle()

    assert statuses(simulated) == [*6 * ["open", "cancelled"], "open"]


def test_a_deleted_series_cancels_what_was_to_come_and_keeps_the_past(
    simulated: World,
) -> None:
    add_series(simulated, day="2026-02-03")
    past = [task for task in tasks(simulated) if at(task) < simulated.clock.now()]

    simulated.ann.remove("standup")
    simulated.calendar_changed()
    simulated.settle()
    simulated.sync_all(simulated.connection().id, Trigger.REPAIR)

    assert len(past) == 4
    assert statuses(simulated) == [*4 * ["open"], *TUESDAYS * ["cancelled"]]


# -- this and following -----------------------------------------------------------


def test_this_and_following_keeps_the_tasks(simulated: World) -> None:
    add_series(simulated)
    ids = [task["id"] for task in tasks(simulated)]

    account(simulated).split(occurrence(THIRD), summary="Weekly")
    simulated.calendar_changed()
    simulated.settle()

    assert [task["id"] for task in tasks(simulated)] == ids
    assert titles(simulated) == [*2 * ["Standup"], *11 * ["Weekly"]]
    assert set(statuses(simulated)) == {"open"}
    assert simulated.crm_side.calls.count("create_task") == TUESDAYS


def test_this_and_following_at_other_hours_keeps_the_tasks(simulated: World) -> None:
    add_series(simulated)
    ids = [task["id"] for task in tasks(simulated)]

    account(simulated).split(occurrence(THIRD), **_hour("2026-03-18", "15:00"))
    simulated.calendar_changed()
    simulated.settle()

    found = tasks(simulated)
    assert [task["id"] for task in found] == ids
    assert at(found[2]) == datetime(2026, 3, 18, 14, 0, tzinfo=UTC)
    assert set(statuses(simulated)) == {"open"}


def test_the_tasks_name_the_occurrences_of_the_series_that_follows(
    simulated: World,
) -> None:
    add_series(simulated)

    account(simulated).split(occurrence(THIRD), location="Room 1")
    simulated.calendar_changed()
    simulated.settle()

    follower = "standup_R20260317T090000_20260317T090000Z"
    assert tasks(simulated)[2]["google_event_id"] == follower


def test_after_this_and_following_edits_go_both_ways(simulated: World) -> None:
    add_series(simulated)
    account(simulated).split(occurrence(THIRD), summary="Weekly")
    simulated.calendar_changed()
    simulated.settle()
    task = tasks(simulated)[2]

    simulated.edit_task(task["id"], location="Room 2")
    simulated.settle()
    simulated.edit_event(task["google_event_id"], summary="Special")
    simulated.settle()

    assert simulated.ann.event(task["google_event_id"])["location"] == "Room 2"
    assert simulated.crm_side.task(task["id"])["title"] == "Special"


# -- single and recurring ---------------------------------------------------------


def test_a_single_event_that_begins_to_recur_keeps_its_task(simulated: World) -> None:
    simulated.add_event("standup", summary="Standup", **_hour("2026-03-03", "10:00"))
    simulated.settle()
    first = simulated.only_task()

    simulated.edit_event("standup", recurrence=[WEEKLY])
    simulated.settle()

    found = tasks(simulated)
    assert len(found) == TUESDAYS
    assert found[0]["id"] == first["id"]
    assert set(statuses(simulated)) == {"open"}


def test_the_event_of_a_task_that_begins_to_recur_keeps_its_task(
    simulated: World,
) -> None:
    task = simulated.add_task(due_at="2026-03-03T09:00:00Z")
    simulated.settle()
    event = simulated.only_event()

    simulated.edit_event(event["id"], recurrence=[WEEKLY])
    simulated.settle()

    found = tasks(simulated)
    assert len(found) == TUESDAYS
    assert found[0]["id"] == task["id"]


def test_a_series_that_becomes_single_keeps_one_task(simulated: World) -> None:
    add_series(simulated)
    first = tasks(simulated)[0]

    simulated.edit_event("standup", recurrence=None)
    simulated.settle()

    assert statuses(simulated) == ["open", *(TUESDAYS - 1) * ["cancelled"]]
    assert simulated.crm_side.task(first["id"])["google_event_id"] == "standup"


# -- repairs, and others ----------------------------------------------------------


def test_a_second_full_sync_writes_nothing(simulated: World) -> None:
    add_series(simulated)
    simulated.forget_calls()

    simulated.sync_all(simulated.connection().id, Trigger.REPAIR)

    assert set(simulated.ann.calls) <= {
        "list_calendars",
        "list_events",
        "list_instances",
    }
    assert set(simulated.crm_side.calls) <= {"list_tasks", "list_users"}


def test_a_repair_finds_what_happened_to_a_series(simulated: World) -> None:
    add_series(simulated)
    account(simulated).expire_sync_tokens()

    simulated.ann.edit(occurrence(FIRST), summary="Kick-off")
    simulated.ann.remove(occurrence(THIRD))
    account(simulated).split(
        occurrence(datetime(2026, 5, 5, 8, tzinfo=UTC)), summary="Weekly"
    )
    simulated.calendar_changed()
    simulated.settle()

    names = ["Kick-off", *8 * ["Standup"], *4 * ["Weekly"]]
    assert titles(simulated) == names
    assert [i for i, s in enumerate(statuses(simulated)) if s == "cancelled"] == [2]


def test_a_shared_series_is_one_task_per_occurrence(simulated: World) -> None:
    simulated.connect("ben")

    add_series(simulated, attendees=[{"email": "ben@gmail.com"}])
    simulated.calendar_changed("ben")
    simulated.settle()

    assert len(tasks(simulated)) == TUESDAYS
    assert {task["owner_id"] for task in tasks(simulated)} == {"ann"}


def test_this_and_following_of_a_shared_series_makes_no_second_tasks(
    simulated: World,
) -> None:
    simulated.connect("ben")
    add_series(simulated, attendees=[{"email": "ben@gmail.com"}])
    simulated.calendar_changed("ben")
    simulated.settle()
    ids = [task["id"] for task in tasks(simulated)]

    account(simulated).split(occurrence(THIRD), summary="Weekly")
    simulated.calendar_changed("ben")
    simulated.settle()
    simulated.calendar_changed("ann")
    simulated.settle()

    assert [task["id"] for task in tasks(simulated)] == ids
    assert set(statuses(simulated)) == {"open"}


def test_a_guest_who_moves_the_own_copy_of_a_series_moves_no_task(
    simulated: World,
) -> None:
    simulated.connect("ben")
    add_series(simulated, attendees=[{"email": "ben@gmail.com"}])
    simulated.calendar_changed("ben")
    simulated.settle()
    before = tasks(simulated)

    simulated.edit_event("standup", "ben", **_hour("2026-03-04", "16:00"))
    simulated.settle()

    assert tasks(simulated) == before
    assert simulated.last_item().reason == Reason.ANOTHER_COPY_LEADS


def _hour(day: str, hour: str) -> dict[str, Any]:
    start = datetime.fromisoformat(f"{day}T{hour}:00")
    end = start + timedelta(minutes=15)
    return {
        name: {"dateTime": moment.isoformat(), "timeZone": "Europe/Berlin"}
        for name, moment in (("start", start), ("end", end))
    }
