"""Disconnecting ends nothing for good: the same account takes everything up again.

Another account is another set: tests/unit/workers/test_calendar_choice.py.
"""

import pytest

from tests.unit.workers.world import World

WRITES = {
    "insert_event",
    "patch_event",
    "delete_event",
    "create_task",
    "update_task",
}


@pytest.fixture
def parted(world: World) -> World:
    """Return a world in which Ann, who has two meetings, has disconnected."""
    world.add_task(title="Plan")
    world.add_event(summary="Lunch")
    world.settle()
    world.change_connection(state="disconnected", refresh_token=None)
    world.forget_calls()
    return world


def test_the_same_account_creates_and_writes_nothing(parted: World) -> None:
    parted.pass_time()

    parted.reconnect()
    parted.poll()

    assert not WRITES & {*parted.ann.calls, *parted.crm_side.calls}
    assert titles(parted) == (["Lunch", "Plan"], ["Lunch", "Plan"])


def test_the_same_account_follows_what_happened_meanwhile(parted: World) -> None:
    tasks = {task["title"]: task["id"] for task in parted.crm_side.live_tasks()}
    events = {event["summary"]: event["id"] for event in parted.ann.live_events()}
    parted.edit_task(tasks["Lunch"], title="Dinner")
    parted.edit_event(events["Plan"], summary="Plan B")
    parted.add_task(title="New in the CRM")
    parted.ann.create("newingoogle", summary="New in Google")
    parted.settle()
    parted.poll()

    parted.reconnect()

    there = ["Dinner", "New in Google", "New in the CRM", "Plan B"]
    assert titles(parted) == (there, there)


def test_again_and_again_is_no_more_than_once(parted: World) -> None:
    for _ in range(3):
        parted.pass_time()
        parted.reconnect()
        parted.change_connection(state="disconnected", refresh_token=None)

    assert not WRITES & {*parted.ann.calls, *parted.crm_side.calls}


def test_edits_that_were_parked_arrive_once(parted: World) -> None:
    (task_id,) = [
        task["id"] for task in parted.crm_side.live_tasks() if task["title"] == "Plan"
    ]
    for title in ("Plan B", "Plan C"):
        parted.edit_task(task_id, title=title)
        parted.settle()

    parted.reconnect()

    assert parted.ann.calls.count("patch_event") == 1
    assert titles(parted)[1] == ["Lunch", "Plan C"]


def titles(world: World) -> tuple[list[str], list[str]]:
    """Return what the CRM and Ann's calendar have."""
    return (
        sorted(task["title"] for task in world.crm_side.live_tasks()),
        sorted(event["summary"] for event in world.ann.live_events()),
    )
