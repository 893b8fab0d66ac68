"""A meeting of several connected users has one task, whoever of them comes and goes."""

import pytest

from shared.adapters.store.states import ConnectionState
from shared.domain import messages, model
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.series import account
from tests.unit.workers.world import World


@pytest.fixture
def shared(simulated: World) -> World:
    """Return a world in which Ann and Ben are guests of somebody not connected."""
    simulated.connect("ben")
    _invite(simulated, "cleo", "ann", "ben")
    simulated.calendar_changed("ann")
    simulated.settle()
    simulated.calendar_changed("ben")
    simulated.settle()
    return simulated


def _invite(world: World, host: str, *guests: str) -> None:
    rows = [{"email": f"{name}@gmail.com"} for name in guests]
    world.accounts[host].create("shared", summary="Review", attendees=rows)


def _disconnect(world: World, name: str) -> None:
    world.change_connection(name, state=ConnectionState.DISCONNECTED)
    due = messages.HandoverDue(connection_id=world.connection(name).id)
    world.queue(Queue.RECORDS, due, Trigger.REPAIR)
    world.settle()


def _answer(world: World, name: str, response: str) -> None:
    event = world.accounts[name].event("shared")
    rows = [
        {**row, "responseStatus": response} if row.get("self") else row
        for row in event["attendees"]
    ]
    world.edit_event("shared", name, attendees=rows)
    _tell(world)


def _tell(world: World) -> None:
    for name in ("ann", "ben"):
        world.calendar_changed(name)
        world.settle()


def _responses(task: model.Document) -> dict[str, str]:
    return {row["email"]: row["response"] for row in task["attendees"]}


def test_the_copy_of_the_first_connected_guest_leads(shared: World) -> None:
    task = shared.only_task()

    assert task["owner_id"] == "ann"
    assert shared.only_link().calendar_id == shared.calendar("ann").id


def test_the_answers_of_all_guests_are_in_the_one_task(shared: World) -> None:
    _answer(shared, "ben", "accepted")

    assert _responses(shared.only_task())["ben@example.com"] == "accepted"


def test_whoever_disconnects_hands_over_to_another_guest(shared: World) -> None:
    before = shared.only_task()

    _disconnect(shared, "ann")
    shared.accounts["cleo"].edit("shared", summary="Retrospective")
    shared.calendar_changed("ben")
    shared.settle()

    task = shared.only_task()
    assert (task["id"], task["owner_id"]) == (before["id"], "ann")
    assert (task["title"], task["status"]) == ("Retrospective", "open")
    assert shared.only_link().calendar_id == shared.calendar("ben").id


def test_whoever_connects_again_gets_no_second_task(shared: World) -> None:
    _disconnect(shared, "ann")

    shared.reconnect("ann")
    _tell(shared)

    assert shared.only_task()["status"] == "open"


def test_without_another_guest_the_task_stays_as_it_is(simulated: World) -> None:
    _invite(simulated, "cleo", "ann")
    simulated.calendar_changed("ann")
    simulated.settle()

    _disconnect(simulated, "ann")

    assert simulated.only_task()["status"] == "open"
    assert simulated.only_link().calendar_id is not None


def test_a_guest_who_deletes_the_leading_copy_cancels_nobody_elses_meeting(
    shared: World,
) -> None:
    account(shared).remove("shared")
    _tell(shared)

    assert shared.only_task()["status"] == "open"
    assert shared.only_link().calendar_id == shared.calendar("ben").id


def test_a_guest_who_declines_leaves_the_task_to_those_who_come(shared: World) -> None:
    _answer(shared, "ann", "declined")

    assert shared.only_task()["status"] == "open"
    assert shared.only_link().calendar_id == shared.calendar("ben").id


def test_when_the_last_one_declines_the_task_is_cancelled(shared: World) -> None:
    _answer(shared, "ann", "declined")
    _answer(shared, "ben", "declined")

    assert shared.only_task()["status"] == "cancelled"


def test_when_the_organizer_cancels_so_is_the_task(shared: World) -> None:
    shared.accounts["cleo"].remove("shared")
    _tell(shared)

    assert shared.only_task()["status"] == "cancelled"


def test_the_organizers_copy_leads_as_soon_as_it_is_there(shared: World) -> None:
    before = shared.only_task()

    shared.connect("cleo")
    shared.edit_task(before["id"], title="Retrospective")
    shared.settle()

    assert shared.only_task()["id"] == before["id"]
    assert shared.only_link().calendar_id == shared.calendar("cleo").id
    assert shared.accounts["cleo"].event("shared")["summary"] == "Retrospective"


def test_a_task_that_gets_an_owner_without_a_connection_leaves_the_copies_alone(
    shared: World,
) -> None:
    _disconnect(shared, "ann")
    task = shared.only_task()

    shared.edit_task(task["id"], owner_id="cleo")
    shared.settle()

    assert shared.only_task()["status"] == "open"
    assert shared.accounts["ben"].event("shared")["status"] == "confirmed"
