"""Tasks that are not to be synced: the events we made go, everything else stays."""

from typing import Any

import pytest

from shared.adapters.store.states import LinkState, Outcome
from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

OUT: list[tuple[dict[str, Any], Reason]] = [
    ({"type": "Call"}, Reason.TYPE_SWITCHED_OFF),
    ({"due_at": None, "duration_minutes": None}, Reason.NO_DUE_DATE),
    (
        {"due_at": None, "duration_minutes": None, "due_date": "2026-03-03"},
        Reason.ALL_DAY_SWITCHED_OFF,
    ),
    ({"owner_id": "cleo"}, Reason.OWNER_NOT_CONNECTED),
]
IN: dict[str, Any] = {
    "type": "Meeting",
    "due_at": "2026-03-03T10:00:00Z",
    "duration_minutes": 30,
    "due_date": None,
    "owner_id": "ann",
}


def _switch_meetings(world: World, *, is_on: bool) -> None:
    """Switch the type off or on, and let the repair run that follows."""
    types = {"Meeting": is_on, "Call": True}
    world.settings(task_types=types, default_task_type="Call")
    world.sync_all(world.connection().id, Trigger.REPAIR)


@pytest.mark.parametrize(("fields", "reason"), OUT)
def test_a_task_out_of_scope_gets_no_event(
    world: World, fields: dict[str, Any], reason: Reason
) -> None:
    world.add_task(**fields)

    world.settle()

    assert world.ann.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.SKIPPED, reason)
    assert item.crm == {"title": "Plan", "owner_id": fields.get("owner_id", "ann")}


@pytest.mark.parametrize(("fields", "reason"), OUT)
def test_a_task_that_leaves_the_scope_loses_the_event_that_we_made(
    world: World, fields: dict[str, Any], reason: Reason
) -> None:
    task = world.add_task()
    world.settle()

    edited = world.edit_task(task["id"], **fields)
    world.settle()

    assert world.ann.live_events() == []
    assert world.crm_side.task(task["id"]) == edited
    assert world.only_link().state == LinkState.DETACHED
    assert world.last_item().reason == reason


@pytest.mark.parametrize(("fields", "reason"), OUT)
def test_a_task_that_comes_back_has_its_event_again(
    world: World, fields: dict[str, Any], reason: Reason
) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], **fields)
    world.settle()

    world.edit_task(task["id"], **IN, title="Back")
    world.settle()

    assert reason in world.reasons()
    assert world.only_event()["summary"] == "Back"
    assert world.only_link().state == LinkState.ACTIVE
    assert world.last_item().reason == Reason.BACK_IN_SCOPE


def test_an_event_that_google_forgot_meanwhile_is_made_anew(world: World) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]
    world.edit_task(task["id"], type="Call")
    world.settle()
    world.ann.purge(event_id)

    world.edit_task(task["id"], type="Meeting")
    world.settle()

    assert world.only_event()["id"] != event_id
    assert world.only_link().state == LinkState.ACTIVE


@pytest.mark.parametrize(("fields", "reason"), OUT[:3])
def test_an_imported_event_stays_when_its_task_leaves_the_scope(
    world: World, fields: dict[str, Any], reason: Reason
) -> None:
    world.add_event()
    world.settle()
    world.forget_calls()

    world.edit_task(world.only_task()["id"], **fields)
    world.settle()

    assert world.only_event()["summary"] == "Lunch"
    assert world.ann.calls == []
    assert world.only_link().state == LinkState.DETACHED
    assert world.last_item().reason == reason


def test_an_imported_event_follows_again_when_its_task_is_back(world: World) -> None:
    world.add_event()
    world.settle()
    task_id = world.only_task()["id"]
    world.edit_task(task_id, type="Call")
    world.settle()

    world.edit_task(task_id, type="Meeting", title="Long lunch")
    world.settle()

    assert world.only_event()["summary"] == "Long lunch"
    assert world.only_link().state == LinkState.ACTIVE


def test_edits_outside_the_scope_reach_nobody(world: World) -> None:
    world.add_event()
    world.settle()
    task_id = world.only_task()["id"]
    world.edit_task(task_id, type="Call")
    world.settle()
    world.forget_calls()

    world.edit_task(task_id, title="Phone")
    world.edit_event("fromgoogle", location="Room 3")
    world.settle()

    assert world.ann.calls == ["list_events"]
    assert "update_task" not in world.crm_side.calls
    assert world.last_item().reason == Reason.TYPE_SWITCHED_OFF


def test_an_event_edited_just_before_is_removed_all_the_same(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Google")

    world.edit_task(task["id"], type="Call")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_link().state == LinkState.DETACHED


def test_an_event_that_is_gone_already_needs_no_removal(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])

    world.edit_task(task["id"], type="Call")
    world.settle()

    assert world.only_link().state == LinkState.DETACHED
    assert world.dead_letters() == []


def test_an_event_that_was_deleted_already_needs_no_removal(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.ann.remove(world.only_event()["id"])

    world.edit_task(task["id"], type="Call")
    world.settle()

    assert world.only_link().state == LinkState.DETACHED
    assert world.crm_side.task(task["id"])["status"] == "open"


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_task_that_ends_outside_the_scope_takes_no_event_along(
    world: World, *, is_deleted: bool
) -> None:
    world.add_event()
    world.settle()
    task_id = world.only_task()["id"]
    world.edit_task(task_id, owner_id="cleo")
    world.settle()
    world.forget_calls()

    if is_deleted:
        world.remove_task(task_id)
    else:
        world.edit_task(task_id, status="cancelled")
    world.settle()

    assert world.ann.calls == []
    assert world.last_item().reason == Reason.OWNER_NOT_CONNECTED


def test_a_type_that_is_switched_off_takes_its_tasks_out_with_the_repair(
    world: World,
) -> None:
    world.settings(task_types={"Meeting": True, "Call": True})
    world.add_task(type="Call")
    world.settle()
    connection_id = world.connection().id

    world.settings(task_types={"Meeting": True, "Call": False})
    world.sync_all(connection_id, Trigger.REPAIR)

    assert world.ann.live_events() == []
    assert world.only_link().state == LinkState.DETACHED


def test_a_type_that_is_switched_on_brings_its_tasks_with_the_repair(
    world: World,
) -> None:
    world.add_task(type="Call", duration_minutes=None)
    world.settle()

    world.settings(task_types={"Meeting": True, "Call": True})
    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.only_event()["end"]["dateTime"] == "2026-03-03T10:30:00+00:00"


def test_a_type_that_is_switched_off_takes_along_what_is_outside_the_window(
    world: World,
) -> None:
    world.add_task(due_at="2026-12-03T10:00:00Z")
    world.settle()

    _switch_meetings(world, is_on=False)

    assert world.ann.live_events() == []
    assert {task["status"] for task in world.crm_side.live_tasks()} == {"open"}


def test_a_type_that_is_switched_off_keeps_the_users_own_events(world: World) -> None:
    world.add_event()
    world.settle()

    _switch_meetings(world, is_on=False)

    assert world.only_event()["summary"] == "Lunch"
    assert world.only_task()["status"] == "open"
    assert world.only_link().state == LinkState.DETACHED


def test_a_type_that_is_switched_off_and_on_again_has_each_event_once(
    world: World,
) -> None:
    world.add_task()
    world.add_event()
    world.settle()

    for is_on in (False, True, False, True):
        _switch_meetings(world, is_on=is_on)

    assert sorted(e["summary"] for e in world.ann.live_events()) == ["Lunch", "Plan"]
    assert len(world.crm_side.live_tasks()) == 2


def test_whole_days_that_are_switched_off_leave_the_calendar_but_the_users_own(
    world: World,
) -> None:
    world.settings(include_all_day=True)
    world.add_event(start={"date": "2026-03-04"}, end={"date": "2026-03-05"})
    world.settle()
    imported = world.only_link()
    ours = world.add_task(due_at=None, duration_minutes=None, due_date="2026-03-04")
    world.settle()

    world.settings(include_all_day=False)
    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert [event["id"] for event in world.ann.live_events()] == ["fromgoogle"]
    with world.store.read() as work:
        made = work.links.of_task(world.organization.id, ours["id"])
        assert made is not None
        assert made.state == LinkState.DETACHED
        assert work.links.by_id(imported.id).state == LinkState.DETACHED


def test_importing_that_is_switched_on_again_brings_the_events_with_a_sync(
    world: World,
) -> None:
    world.settings(create_tasks_from_google=False)
    world.add_event()
    world.settle()
    before = len(world.crm_side.live_tasks())

    world.settings(create_tasks_from_google=True)
    world.sync_all(world.connection().id, Trigger.MANUAL)

    assert (before, world.only_task()["title"]) == (0, "Lunch")


def test_an_event_that_becomes_all_day_waits_for_the_setting(world: World) -> None:
    task = world.add_task()
    world.settle()
    day = {"dateTime": None, "timeZone": None}

    world.edit_event(
        world.only_event()["id"],
        start={"date": "2026-03-04", **day},
        end={"date": "2026-03-06", **day},
    )
    world.settle()
    waiting = world.last_item()
    before = world.crm_side.task(task["id"])
    world.settings(include_all_day=True)
    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert waiting.reason == Reason.ALL_DAY_SWITCHED_OFF
    assert before["due_date"] is None
    after = world.crm_side.task(task["id"])
    assert (after["due_date"], after["duration_days"]) == ("2026-03-04", 2)


def test_an_all_day_task_becomes_an_all_day_event_where_that_is_wished(
    world: World,
) -> None:
    world.settings(include_all_day=True)

    world.add_task(due_at=None, duration_minutes=None, due_date="2026-03-04")
    world.settle()

    event = world.only_event()
    assert event["start"] == {"date": "2026-03-04"}
    assert event["end"] == {"date": "2026-03-05"}


def test_a_disconnected_owner_leaves_the_event_alone(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.change_connection(state="disconnected")
    world.forget_calls()

    world.edit_task(task["id"], title="Plan B")
    world.settle()

    assert world.ann.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.HELD, Reason.OWNER_NOT_CONNECTED)
