"""A change on one side reaches the other, at the cost that was promised."""

from datetime import timedelta

from shared.adapters.store.states import Outcome
from tests.unit.workers.world import World


def test_a_new_task_becomes_an_event_with_one_write_and_no_read(world: World) -> None:
    task = world.add_task(location="Room 1", description="Agenda")

    world.settle()

    event = world.only_event()
    assert (event["summary"], event["location"]) == ("Plan", "Room 1")
    assert event["extendedProperties"]["private"] == {
        "crmTaskId": task["id"],
        "crmOrganization": "acme",
    }
    assert world.accounts["ann"].calls == ["insert_event"]


def test_an_edit_in_the_crm_costs_one_read_there_and_one_write_to_google(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], title="Plan B")
    world.settle()

    assert world.only_event()["summary"] == "Plan B"
    assert world.accounts["ann"].calls == ["patch_event"]
    assert world.crm_side.calls == ["get_task"]


def test_an_edit_in_google_costs_one_list_and_one_write_to_the_crm(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.calendar_changed("ann")
    world.settle()
    world.forget_calls()

    world.pass_time(timedelta(seconds=1))
    world.accounts["ann"].edit(world.only_event()["id"], summary="Moved")
    world.calendar_changed("ann")
    world.settle()

    assert world.crm_side.task(task["id"])["title"] == "Moved"
    assert world.accounts["ann"].calls == ["list_events"]
    assert world.crm_side.calls == ["update_task"]


def test_the_echo_of_our_own_write_stops_where_it_arrives(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.task_changed(world.crm_side.task(task["id"]))
    world.calendar_changed("ann")
    world.settle()

    assert world.accounts["ann"].calls == ["list_events"]
    assert world.crm_side.calls == []
    assert world.items()[-1].outcome == Outcome.UNCHANGED
