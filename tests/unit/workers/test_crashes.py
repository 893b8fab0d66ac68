"""A worker dies, or an answer is lost: once it goes on, there is one of each."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import LinkState
from shared.domain import errors
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World

POLICIES = ["crm_wins", "google_wins", "last_modified_wins", "manual"]
LATER = timedelta(minutes=20)
"""Enough for the first attempts that follow a failure."""


def _assert_one_of_each(world: World) -> None:
    assert len(world.ann.live_events()) == 1
    assert len(world.crm_side.live_tasks()) == 1
    link = world.only_link()
    assert (link.state, link.event_id) == (LinkState.ACTIVE, world.only_event()["id"])
    assert link.task_id == world.only_task()["id"]


# -- a task becomes an event ------------------------------------------------------


def test_a_worker_that_dies_before_it_makes_the_event_makes_it_afterwards(
    world: World,
) -> None:
    world.add_task()
    world.ann.fail_next(Killed(), on="insert_event")
    world.crash()

    world.settle()

    _assert_one_of_each(world)


def test_a_worker_that_dies_after_it_made_the_event_finds_it_again(
    world: World,
) -> None:
    world.add_task()
    world.ann.apply_then_fail(Killed(), on="insert_event")
    world.crash()

    world.settle()

    _assert_one_of_each(world)
    assert world.ann.calls == ["insert_event", "insert_event", "get_event"]


def test_an_event_whose_making_was_never_heard_of_is_found_again(
    world: World,
) -> None:
    world.add_task()
    world.ann.apply_then_fail(errors.RemoteUnavailableError(), on="insert_event")

    world.settle(patience=LATER)

    _assert_one_of_each(world)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_task_edited_before_the_lost_event_is_found_brings_it_up_to_date(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.ann.apply_then_fail(errors.RemoteUnavailableError(), on="insert_event")
    world.settle()

    world.edit_task(task["id"], title="Plan B")
    world.settle(patience=LATER)

    _assert_one_of_each(world)
    assert world.only_event()["summary"] == "Plan B"
    assert world.only_task()["title"] == "Plan B"
    assert world.conflicts() == []


@pytest.mark.parametrize("policy", POLICIES)
def test_a_lost_event_that_was_edited_before_it_is_found_brings_the_task_up_to_date(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    world.add_task()
    world.ann.apply_then_fail(errors.RemoteUnavailableError(), on="insert_event")
    world.settle()
    world.pass_time()

    world.ann.edit(world.only_event()["id"], summary="Plan B")
    world.settle(patience=LATER)

    _assert_one_of_each(world)
    assert world.only_task()["title"] == "Plan B"
    assert world.only_event()["summary"] == "Plan B"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_lost_event_that_was_deleted_before_it_is_found_stays_deleted(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    world.add_task()
    world.ann.apply_then_fail(errors.RemoteUnavailableError(), on="insert_event")
    world.settle()
    world.pass_time()

    world.ann.remove(world.only_event()["id"])
    world.settle(patience=LATER)

    assert world.ann.live_events() == []
    assert world.only_task()["status"] == "cancelled"


def test_a_lost_event_is_taken_up_from_its_notification_too(world: World) -> None:
    world.add_task()
    world.ann.apply_then_fail(Killed(), on="insert_event")
    world.crash()
    world.broker.lose()

    world.calendar_changed()
    world.settle()

    _assert_one_of_each(world)


def test_a_reservation_that_nobody_goes_on_with_is_swept_up(world: World) -> None:
    world.add_task()
    world.ann.fail_next(Killed(), on="insert_event")
    world.crash()
    world.broker.lose()

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    _assert_one_of_each(world)


def test_an_id_that_was_used_in_an_earlier_life_is_no_deletion_of_today(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.ann.remove(world.only_event()["id"])
    world.pass_time(timedelta(days=1))
    _forget_links(world)

    world.task_changed(task)
    world.settle()

    _assert_one_of_each(world)
    assert world.only_task()["status"] == "open"


def test_an_event_of_an_earlier_life_is_taken_up_again(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.pass_time(timedelta(days=1))
    _forget_links(world)

    world.edit_task(task["id"], title="Plan B")
    world.settle()

    _assert_one_of_each(world)
    assert world.only_event()["summary"] == "Plan B"


def test_an_id_of_an_earlier_life_that_google_purged_is_not_asked_for_again(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])
    _forget_links(world)

    world.task_changed(task)
    world.settle()

    _assert_one_of_each(world)
    assert world.only_link().generation == 1


def _forget_links(world: World) -> None:
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM copies")
        connection.exec_driver_sql("DELETE FROM links")


# -- an event becomes a task ------------------------------------------------------


def test_a_worker_that_dies_before_it_makes_the_task_makes_it_afterwards(
    world: World,
) -> None:
    world.add_event()
    world.crm_side.fail_next(Killed(), on="create_task")
    world.crash()

    world.settle()

    _assert_one_of_each(world)


def test_a_worker_that_dies_after_it_made_the_task_finds_it_again(
    world: World,
) -> None:
    world.add_event()
    world.crm_side.apply_then_fail(Killed(), on="create_task")
    world.crash()

    world.settle()

    _assert_one_of_each(world)


def test_the_webhook_of_a_task_that_we_make_just_now_waits_for_us(
    world: World,
) -> None:
    world.add_event()

    def tell() -> None:
        world.task_changed(world.only_task())
        world.broker.run(world.dispatcher)

    world.crm_side.after_next("create_task", tell)
    world.settle()

    _assert_one_of_each(world)
    assert world.reasons() == ["event_created", "echo"]


def test_the_webhook_of_a_task_that_we_made_unheard_gives_it_to_its_event(
    world: World,
) -> None:
    world.add_event()
    world.crm_side.apply_then_fail(Killed(), on="create_task")
    world.crash()
    world.broker.lose()

    world.task_changed(world.only_task())
    world.settle()

    _assert_one_of_each(world)
    assert world.ann.calls == ["list_events"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_lost_task_that_was_edited_before_it_is_found_brings_the_event_up_to_date(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    world.add_event()
    world.crm_side.apply_then_fail(errors.RemoteUnavailableError(), on="create_task")
    world.settle()
    world.pass_time()

    world.crm_side.edit(world.only_task()["id"], title="Dinner")
    world.settle(patience=LATER)
    world.task_changed(world.only_task())
    world.settle()

    _assert_one_of_each(world)
    assert world.only_event()["summary"] == "Dinner"
    assert world.only_task()["title"] == "Dinner"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_lost_task_that_was_deleted_before_it_is_found_cancels_its_event(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    world.add_event()
    world.crm_side.apply_then_fail(errors.RemoteUnavailableError(), on="create_task")
    world.settle()
    world.pass_time()

    world.crm_side.remove(world.only_task()["id"])
    world.settle(patience=LATER)

    assert world.crm_side.live_tasks() == []
    assert world.ann.live_events() == []


def test_an_event_deleted_before_its_lost_task_is_found_cancels_the_task(
    world: World,
) -> None:
    world.add_event()
    world.crm_side.apply_then_fail(errors.RemoteUnavailableError(), on="create_task")
    world.settle()

    world.remove_event("fromgoogle")
    world.task_changed(world.only_task())
    world.settle(patience=LATER)

    assert world.only_task()["status"] == "cancelled"


# -- made anew --------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_makes_a_deleted_task_anew_makes_one(
    world: World, when: str
) -> None:
    _edit_an_event_whose_task_was_just_deleted(world)
    _order_death(world.crm_side, when, "create_task")
    world.crash()

    world.settle()

    _assert_one_of_each(world)
    assert world.only_task()["title"] == "Plan B"


def test_a_task_that_was_made_anew_unheard_finds_its_event_by_its_webhook(
    world: World,
) -> None:
    _edit_an_event_whose_task_was_just_deleted(world)
    world.crm_side.apply_then_fail(errors.RemoteUnavailableError(), on="create_task")
    world.settle()

    world.task_changed(world.only_task())
    world.settle()

    _assert_one_of_each(world)


def test_a_deleted_task_that_was_to_be_made_anew_is_swept_up(world: World) -> None:
    _edit_an_event_whose_task_was_just_deleted(world)
    world.crm_side.fail_next(Killed(), on="create_task")
    world.crash()
    world.broker.lose()

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    _assert_one_of_each(world)


def _edit_an_event_whose_task_was_just_deleted(world: World) -> None:
    world.settings(conflict_policy="google_wins")
    task = world.add_task()
    world.settle()
    world.pass_time()
    world.crm_side.remove(task["id"])
    world.edit_event(world.only_event()["id"], summary="Plan B")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_makes_a_purged_event_anew_makes_one(
    world: World, when: str
) -> None:
    task = world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])
    _order_death(world.ann, when, "insert_event")

    world.edit_task(task["id"], title="Plan B")
    world.crash()
    world.settle()

    _assert_one_of_each(world)
    assert world.only_event()["summary"] == "Plan B"


def _order_death(remote: object, when: str, call: str) -> None:
    assert hasattr(remote, "fail_next")
    assert hasattr(remote, "apply_then_fail")
    order = remote.fail_next if when == "before" else remote.apply_then_fail
    order(Killed(), on=call)


# -- edits ------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_edits_the_event_is_followed_by_one_that_does(
    world: World, when: str
) -> None:
    task = world.add_task()
    world.settle()
    _order_death(world.ann, when, "patch_event")

    world.edit_task(task["id"], title="Plan B")
    world.crash()
    world.settle()

    _assert_one_of_each(world)
    assert world.only_event()["summary"] == "Plan B"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_edits_the_task_is_followed_by_one_that_does(
    world: World, when: str
) -> None:
    task = world.add_task()
    world.settle()
    _order_death(world.crm_side, when, "update_task")

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.crash()
    world.settle()

    _assert_one_of_each(world)
    assert world.crm_side.task(task["id"])["title"] == "Plan B"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_cancels_the_event_is_followed_by_one_that_does(
    world: World, when: str
) -> None:
    task = world.add_task()
    world.settle()
    _order_death(world.ann, when, "delete_event")

    world.edit_task(task["id"], status="cancelled")
    world.crash()
    world.settle()

    assert world.ann.live_events() == []
    assert world.last_item().outcome != "failed"


def test_both_edits_survive_a_failure_between_the_two_writes_of_a_merge(
    world: World,
) -> None:
    world.settings(merge_disjoint_edits=True, conflict_policy="crm_wins")
    task = world.add_task()
    world.settle()
    world.crm_side.fail_next(errors.RemoteUnavailableError(), on="update_task")

    world.edit_task(task["id"], title="Plan B")
    world.edit_event(world.only_event()["id"], location="Room 3")
    world.settle(patience=LATER)

    event, task = world.only_event(), world.only_task()
    assert (event["summary"], event["location"]) == ("Plan B", "Room 3")
    assert (task["title"], task["location"]) == ("Plan B", "Room 3")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_late_webhook_of_the_deleted_task_does_not_end_its_restored_event(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    world.add_event()
    world.settle()
    task = world.only_task()
    world.remove_task(task["id"])
    world.settle()
    world.edit_event("fromgoogle", status="confirmed")
    world.crm_side.fail_next(errors.RemoteUnavailableError(), on="create_task")
    world.settle()

    world.task_changed(world.crm_side.task(task["id"]))
    world.settle(patience=LATER)

    assert world.only_event()["id"] == "fromgoogle"
    assert world.only_task()["status"] == "open"


# -- an event goes because its task is not to be synced any more ------------------


@pytest.mark.parametrize(
    "edit",
    [
        {"type": "Call"},
        {"owner_id": "cleo"},
        {"due_at": None, "duration_minutes": None},
    ],
)
@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_worker_that_dies_while_it_removes_an_event_leaves_the_task_alone(
    world: World, edit: dict[str, object], dies: str
) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], **edit)
    order = world.ann.fail_next if dies == "before" else world.ann.apply_then_fail
    order(Killed(), on="delete_event")
    world.crash()
    (redelivered,) = world.broker.lose()

    world.calendar_changed()
    world.settle()
    world.broker.publish(redelivered)
    world.settle()

    assert world.only_task()["status"] == "open"
    assert world.ann.live_events() == []
    assert world.only_link().state == LinkState.DETACHED
