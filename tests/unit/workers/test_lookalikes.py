"""What was entered on both sides by hand before a first sync is one meeting."""

from typing import Any

import pytest

from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

WRITES = {"insert_event", "patch_event", "delete_event", "create_task"}


def _times(start: str = "10:00", end: str = "10:30") -> dict[str, Any]:
    return {
        "start": {"dateTime": f"2026-03-03T{start}:00Z", "timeZone": "UTC"},
        "end": {"dateTime": f"2026-03-03T{end}:00Z", "timeZone": "UTC"},
    }


def _task(world: World, title: str = "Review", **fields: Any) -> str:  # noqa: ANN401 - any field
    task = world.crm_side.add(
        **{
            "title": title,
            "owner_id": "ann",
            "due_at": "2026-03-03T10:00:00Z",
            "duration_minutes": 30,
            **fields,
        }
    )
    return str(task["id"])


def _sync(world: World, trigger: Trigger = Trigger.BACKFILL) -> None:
    world.forget_calls()
    world.sync_all(world.connection().id, trigger)


def _writes(world: World) -> list[str]:
    return [c for c in [*world.ann.calls, *world.crm_side.calls] if c in WRITES]


@pytest.mark.parametrize("trigger", [Trigger.BACKFILL, Trigger.REPAIR, Trigger.MANUAL])
def test_a_task_and_an_event_that_look_alike_are_linked(
    world: World, trigger: Trigger
) -> None:
    _task(world)
    world.ann.create("review", summary="Review", **_times())

    _sync(world, trigger)

    assert _writes(world) == []
    assert world.only_link().event_id == "review"
    assert Reason.ADOPTED in world.reasons()


def test_they_are_in_step_from_then_on(world: World) -> None:
    task_id = _task(world)
    world.ann.create("review", summary="Review", **_times())
    _sync(world)

    world.edit_task(task_id, title="Retrospective")
    world.settle()

    assert world.only_event()["summary"] == "Retrospective"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Other"},
        {"due_at": "2026-03-03T11:00:00Z"},
        {"duration_minutes": 45},
        {"owner_id": "ben"},
        {"type": "Call"},
        {"status": "cancelled"},
        {"google_event_id": "another"},
    ],
)
def test_whatever_differs_is_another_meeting(
    world: World, fields: dict[str, Any]
) -> None:
    task_id = _task(world, **fields)
    world.ann.create("review", summary="Review", **_times())

    _sync(world)

    with world.store.read() as work:
        calendar_id = world.calendar().id
        link = work.links.of_event(calendar_id, "review")
    assert link is not None
    assert link.task_id != task_id


def test_each_is_linked_once(world: World) -> None:
    for _ in range(3):
        _task(world)
    world.ann.create("review", summary="Review", **_times())

    _sync(world)

    assert len(world.crm_side.live_tasks()) == 3
    assert len(world.ann.live_events()) == 3
    assert _writes(world) == ["insert_event", "insert_event"]


def test_what_differs_besides_is_for_the_policy(world: World) -> None:
    world.settings(conflict_policy="crm_wins")
    _task(world, location="Room 1")
    world.ann.create("review", summary="Review", location="Room 2", **_times())

    _sync(world)

    assert world.only_event()["location"] == "Room 1"
    assert len(world.crm_side.live_tasks()) == 1


def test_an_event_that_looks_like_a_linked_task_is_another_meeting(
    world: World,
) -> None:
    world.add_task(title="Review")
    world.settle()
    world.ann.create("review", summary="Review", **_times())

    _sync(world)

    assert len(world.crm_side.live_tasks()) == 2


def test_a_user_who_makes_the_same_again_makes_another_one(world: World) -> None:
    world.add_event("review", summary="Review", **_times())
    world.settle()

    world.add_task(title="Review")
    world.settle()

    assert len(world.ann.live_events()) == 2


def test_the_oldest_meetings_of_each_side_come_first(world: World) -> None:
    for day in (9, 5, 7):
        _task(world, f"Task {day}", due_at=f"2026-03-{day:02}T10:00:00Z")
        start, end = (f"2026-03-{day:02}T1{h}:00:00Z" for h in (2, 3))
        times = {"start": {"dateTime": start}, "end": {"dateTime": end}}
        world.ann.create(f"event{day}", summary=f"Event {day}", **times)

    _sync(world)

    made = [task["title"] for task in world.crm_side.live_tasks()][3:]
    assert made == ["Event 5", "Event 7", "Event 9"]
    written = [e["summary"] for e in world.ann.live_events()][3:]
    assert written == ["Task 5", "Task 7", "Task 9"]
