"""A meeting of several connected users has one task, whoever of them comes and goes."""

from typing import Any

import pytest

from shared.adapters.store.states import ConnectionState
from shared.domain import messages, model
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from tests import store_rows
from tests.unit.workers.series import WEEKLY, account, tasks, titles
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


def _invite(world: World, host: str, *guests: str, **fields: Any) -> None:  # noqa: ANN401 - any field
    rows = [{"email": f"{name}@gmail.com"} for name in guests]
    meeting = {"summary": "Review", "attendees": rows, **fields}
    world.accounts[host].create("shared", **meeting)


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


def _tell(world: World, *names: str) -> None:
    for name in names or ("ann", "ben"):
        world.calendar_changed(name)
        world.settle()


def _rename(world: World, host: str, title: str, *told: str) -> None:
    """Let the organizer rename the meeting; only some guests' copies tell us."""
    world.pass_time()
    world.accounts[host].edit("shared", summary=title)
    _tell(world, *told)


def _sync_another_calendar(world: World, name: str) -> None:
    with world.store.begin() as work:
        connection = work.connections.by_id(world.connection(name).id)
        chosen = store_rows.add_calendar(work, connection, "team", is_selected=False)
        chosen.google_sub = connection.google_sub or ""
        work.calendars.select(chosen)
        work.commit()


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


def test_the_answer_of_whoever_leads_for_another_is_in_the_task(
    shared: World,
) -> None:
    _disconnect(shared, "ann")

    _answer(shared, "ben", "tentative")

    assert _responses(shared.only_task()) == {"ben@example.com": "tentative"}
    assert shared.last_item().reason == Reason.GUESTS_ANSWERED


def test_a_handover_is_no_edit_of_the_meeting(shared: World) -> None:
    before = shared.only_task()

    _disconnect(shared, "ann")

    assert shared.only_task() == before
    assert shared.last_item().reason == Reason.UNCHANGED


def test_news_that_only_the_heirs_copy_has_reaches_the_task(shared: World) -> None:
    _rename(shared, "cleo", "Retrospective", "ben")
    before = shared.only_task()["title"]

    _disconnect(shared, "ann")

    assert (before, shared.only_task()["title"]) == ("Review", "Retrospective")


def test_the_rules_of_the_new_leaders_copy_apply(simulated: World) -> None:
    simulated.connect("ben")
    _invite(simulated, "ann", "ben")
    _tell(simulated)
    _disconnect(simulated, "ann")

    simulated.edit_task(simulated.only_task()["id"], title="Retrospective")
    simulated.settle()

    assert simulated.last_item().reason == Reason.READ_ONLY_EVENT
    assert simulated.only_task()["title"] == "Review"
    assert simulated.only_task()["owner_id"] == "ann"


def test_a_guest_who_must_connect_again_is_stood_in_for(shared: World) -> None:
    shared.change_connection("ann", state=ConnectionState.NEEDS_REAUTHORIZATION)

    _rename(shared, "cleo", "Retrospective", "ben")
    meanwhile = shared.only_task()
    shared.reconnect("ann")
    _rename(shared, "cleo", "Post mortem", "ann", "ben")

    assert (meanwhile["title"], meanwhile["owner_id"]) == ("Retrospective", "ann")
    assert shared.only_task()["title"] == "Post mortem"


def test_who_declines_stands_in_for_nobody(shared: World) -> None:
    shared.change_connection("ann", state=ConnectionState.NEEDS_REAUTHORIZATION)

    _answer(shared, "ben", "declined")

    assert shared.only_task()["status"] == "open"
    assert shared.only_link().calendar_id == shared.calendar("ann").id


def test_edits_of_a_task_wait_for_an_organizer_who_must_connect_again(
    simulated: World,
) -> None:
    simulated.connect("ben")
    _invite(simulated, "ann", "ben")
    _tell(simulated)
    simulated.change_connection("ann", state=ConnectionState.NEEDS_REAUTHORIZATION)

    simulated.edit_task(simulated.only_task()["id"], title="Retrospective")
    _answer(simulated, "ben", "accepted")
    simulated.reconnect("ann")

    assert simulated.accounts["ann"].event("shared")["summary"] == "Retrospective"
    assert simulated.only_task()["title"] == "Retrospective"


@pytest.mark.parametrize("host", ["ann", "cleo"])
def test_who_connects_after_the_leader_has_left_takes_over(
    simulated: World, host: str
) -> None:
    _invite(simulated, host, *{"ann", "ben"} - {host})
    _tell(simulated, "ann")
    _disconnect(simulated, "ann")

    simulated.connect("ben")
    _rename(simulated, host, "Retrospective", "ben")

    assert simulated.only_task()["title"] == "Retrospective"
    assert simulated.only_link().calendar_id == simulated.calendar("ben").id


def test_whose_leading_copy_is_in_a_calendar_no_longer_synced_is_stood_in_for(
    shared: World,
) -> None:
    _sync_another_calendar(shared, "ann")

    _rename(shared, "cleo", "Retrospective", "ben")

    assert shared.only_task()["title"] == "Retrospective"


def test_a_copy_in_a_calendar_no_longer_synced_takes_nothing_over(
    shared: World,
) -> None:
    _disconnect(shared, "ben")
    shared.reconnect("ben")
    shared.change_connection("ann", state=ConnectionState.NEEDS_REAUTHORIZATION)
    former = shared.calendar("ben")
    _sync_another_calendar(shared, "ben")

    due = messages.EventDue(calendar_id=former.id, event_id="shared")
    shared.queue(Queue.RECORDS, due)
    shared.settle()

    assert shared.only_link().calendar_id == shared.calendar("ann").id


def test_who_declined_before_anybody_had_a_task_is_a_guest_of_the_others(
    simulated: World,
) -> None:
    simulated.connect("ben")
    _invite(simulated, "cleo", "ann", "ben")

    _answer(simulated, "ann", "declined")

    task = simulated.only_task()
    assert task["owner_id"] == "ben"
    assert _responses(task)["ann@example.com"] == "declined"


def test_an_organizer_who_syncs_another_calendar_keeps_no_guest_waiting(
    simulated: World,
) -> None:
    simulated.connect("cleo")
    _sync_another_calendar(simulated, "cleo")

    _invite(simulated, "cleo", "ann")
    _tell(simulated, "ann")

    assert simulated.only_task()["owner_id"] == "ann"


def test_a_guests_copy_waits_for_the_first_sync_of_its_organizer(
    simulated: World,
) -> None:
    connection_id = simulated.store_connection("cleo")
    _invite(simulated, "cleo", "ann")
    _tell(simulated, "ann")
    before = simulated.crm_side.live_tasks()

    simulated.sync_all(connection_id, Trigger.BACKFILL)

    assert before == []
    assert simulated.only_task()["owner_id"] == "cleo"


def test_the_occurrences_of_a_series_are_handed_over_too(simulated: World) -> None:
    simulated.connect("ben")
    times = {
        name: {"dateTime": f"2026-03-03T{hour}:00", "timeZone": "Europe/Berlin"}
        for name, hour in (("start", "10:00"), ("end", "10:15"))
    }
    _invite(simulated, "cleo", "ann", "ben", recurrence=[WEEKLY], **times)
    _tell(simulated)
    before = [task["id"] for task in tasks(simulated)]

    _disconnect(simulated, "ann")
    _rename(simulated, "cleo", "Retrospective", "ben")
    simulated.reconnect("ann")
    _tell(simulated)

    assert [task["id"] for task in tasks(simulated)] == before
    assert set(titles(simulated)) == {"Retrospective"}
    assert len(before) > 10
