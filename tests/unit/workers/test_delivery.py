"""Messages come twice, late, in any order, or not at all: the outcome is the same."""

import random
from collections.abc import Callable

import pytest

from shared.adapters.store.states import Outcome
from shared.domain import messages
from shared.domain.messages import Queue
from shared.domain.reasons import Reason
from tests.unit.workers.world import World


def test_a_webhook_that_comes_twice_does_the_work_once(world: World) -> None:
    task = world.add_task()
    world.task_changed(task)

    world.settle()

    assert world.ann.calls == ["insert_event"]
    assert world.reasons() == [Reason.TASK_CREATED, Reason.ECHO]


def test_a_webhook_that_is_older_than_what_we_know_costs_no_call(world: World) -> None:
    task = world.add_task()
    world.edit_task(task["id"], title="Plan B")
    world.broker.lose()
    world.task_changed(world.crm_side.task(task["id"]))
    world.settle()
    world.forget_calls()

    world.task_changed(task)
    world.settle()

    assert world.crm_side.calls == []
    assert world.ann.calls == []
    assert world.last_item().outcome == Outcome.UNCHANGED


def _last(count: int) -> int:
    return count - 1


def _any(seed: int) -> Callable[[int], int]:
    return random.Random(seed).randrange  # noqa: S311 - an order, no secret


@pytest.mark.parametrize("pick", [_last, _any(1), _any(2), _any(3)])
def test_the_order_of_messages_does_not_matter(
    world: World, pick: Callable[[int], int]
) -> None:
    task = world.add_task()
    world.edit_task(task["id"], title="Plan B")
    world.edit_task(task["id"], location="Room 3")
    world.add_event()
    world.edit_event("fromgoogle", summary="Dinner")
    world.add_event("gone")
    world.remove_event("gone")

    world.settle(pick=pick)

    titles = {"Plan B", "Dinner"}
    assert {event["summary"] for event in world.ann.live_events()} == titles
    assert {task["title"] for task in world.crm_side.live_tasks()} == titles


def test_a_deletion_that_arrives_before_the_creation_leaves_nothing(
    world: World,
) -> None:
    task = world.add_task()
    world.remove_task(task["id"])

    world.settle(pick=_last)

    assert world.ann.live_events() == []


def test_an_old_page_of_a_list_does_not_bring_back_an_old_state(world: World) -> None:
    world.add_event()
    world.settle()
    old = world.ann.event("fromgoogle")
    world.edit_event("fromgoogle", summary="Dinner")
    world.settle()

    world.ann.after_next("list_events", lambda: None)
    with world.store.begin() as work:
        row = work.calendars.by_id(world.calendar().id)
        row.sync_token = old["etag"].strip('"')
        work.commit()
    world.calendar_changed()
    world.settle()

    assert world.only_task()["title"] == "Dinner"


def test_what_no_message_told_of_is_found_by_the_polls(world: World) -> None:
    world.add_task()
    world.add_event()
    world.broker.lose()

    world.poll()

    titles = {"Plan", "Lunch"}
    assert {event["summary"] for event in world.ann.live_events()} == titles
    assert {task["title"] for task in world.crm_side.live_tasks()} == titles


def test_a_record_that_another_worker_has_in_hand_is_looked_at_again_soon(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]

    def meanwhile() -> None:
        world.edit_task(task["id"], location="Room 3")
        world.broker.run(world.dispatcher)

    world.ann.before_next("patch_event", meanwhile)
    world.edit_task(task["id"], title="Plan B")
    world.settle()

    event = world.ann.event(event_id)
    assert (event["summary"], event["location"]) == ("Plan B", "Room 3")
    assert Outcome.FAILED not in {item.outcome for item in world.items()}


def test_an_event_that_we_make_just_now_is_in_nobody_elses_hands(world: World) -> None:
    def meanwhile() -> None:
        world.calendar_changed()
        world.broker.run(world.dispatcher)

    world.ann.after_next("insert_event", meanwhile)
    world.add_task()
    world.settle()

    assert world.reasons() == [Reason.TASK_CREATED, Reason.ECHO]
    assert world.crm_side.calls == ["get_task"]


def test_a_message_about_an_event_that_was_never_stored_reads_it(world: World) -> None:
    world.ann.create("fromgoogle", summary="Lunch")
    due = messages.EventDue(
        calendar_id=world.calendar().id, event_id="fromgoogle", must_read=True
    )

    world.queue(Queue.RECORDS, due)
    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_a_message_about_an_event_that_is_nowhere_changes_nothing(
    world: World,
) -> None:
    due = messages.EventDue(
        calendar_id=world.calendar().id, event_id="nowhere", must_read=True
    )

    world.queue(Queue.RECORDS, due)
    world.settle()

    assert world.crm_side.live_tasks() == []
    assert world.last_item().reason == Reason.NOTHING_TO_CANCEL


def test_a_message_about_an_unknown_task_changes_nothing(world: World) -> None:
    due = messages.TaskDue(organization_id=world.organization.id, task_id="nowhere")

    world.queue(Queue.RECORDS, due)
    world.settle()

    assert world.ann.calls == []
    assert world.last_item().reason == Reason.NOTHING_TO_CANCEL


@pytest.mark.parametrize("frequency", ["15min", "hourly", "manual"])
def test_webhooks_only_mark_where_the_frequency_is_not_realtime(
    world: World, frequency: str
) -> None:
    world.settings(frequency=frequency)

    world.add_task()
    world.add_event()
    world.settle()

    assert world.ann.calls == []
    assert world.crm_side.calls == []


def test_an_old_page_of_a_list_does_not_bring_back_what_we_deleted(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()

    def delete() -> None:
        world.remove_task(task["id"])
        world.broker.run(world.dispatcher)

    world.ann.after_next("list_events", delete)
    world.calendar_changed()
    world.settle()

    assert world.crm_side.live_tasks() == []
    assert world.ann.live_events() == []
    assert Reason.EVENT_RESTORED not in world.reasons()
