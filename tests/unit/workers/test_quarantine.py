"""A record that both sides keep changing is left alone; everything else goes on."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import Outcome
from shared.domain import messages, model
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.world import World
from workers.quarantine import MOST_TURNS


def _turn(world: World, task_id: str, number: int) -> None:
    """Let a program of somebody's change what it finds, on one side after the other."""
    world.edit_task(task_id, title=f"CRM {number}")
    world.settle()
    world.edit_event(world.only_event()["id"], summary=f"Google {number}")
    world.settle()


@pytest.fixture
def looping(world: World) -> World:
    """Return a world with a record that went back and forth too often."""
    task = world.add_task()
    world.settle()
    for number in range(MOST_TURNS):
        _turn(world, task["id"], number)
    return world


def test_it_is_left_alone_and_the_history_says_why(looping: World) -> None:
    looping.forget_calls()

    looping.edit_task(looping.only_task()["id"], title="Once more")
    looping.settle()

    item = looping.last_item()
    assert (item.outcome, item.reason) == (Outcome.HELD, Reason.QUARANTINED)
    assert looping.ann.sent_updates == []


def test_its_owner_is_told_once(looping: World) -> None:
    link = looping.only_link()

    keys = [key for _, key in looping.crm_side.notifications]
    assert keys == [f"quarantine:{link.id}"]


def test_the_rest_goes_on(looping: World) -> None:
    looping.add_task(title="Another")
    looping.settle()

    titles = {event["summary"] for event in looping.ann.live_events()}
    assert "Another" in titles


def test_after_a_while_it_is_synced_again(looping: World) -> None:
    looping.pass_time(timedelta(hours=1))

    looping.edit_task(looping.only_task()["id"], title="Calm")
    looping.settle()

    assert looping.only_event()["summary"] == "Calm"


def test_a_sync_by_hand_ends_it(looping: World) -> None:
    task: model.Document = looping.crm_side.edit(
        looping.only_task()["id"], title="By hand"
    )
    due = messages.TaskDue(organization_id=looping.organization.id, task_id=task["id"])

    looping.queue(Queue.RECORDS, due, Trigger.MANUAL)
    looping.settle()

    assert looping.only_event()["summary"] == "By hand"
    assert looping.only_link().quarantined_until is None


def test_edits_of_one_side_are_no_loop(world: World) -> None:
    task = world.add_task()
    for number in range(4 * MOST_TURNS):
        world.edit_task(task["id"], title=f"Draft {number}")
        world.settle()

    assert world.only_event()["summary"] == f"Draft {4 * MOST_TURNS - 1}"
    assert world.only_link().quarantined_until is None


def test_people_who_take_their_time_are_no_loop(world: World) -> None:
    task = world.add_task()
    world.settle()
    for number in range(2 * MOST_TURNS):
        _turn(world, task["id"], number)
        world.pass_time(timedelta(minutes=6))

    assert world.only_link().quarantined_until is None
