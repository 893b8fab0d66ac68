"""Events that we made move to another calendar: each is in one place at the end."""

from collections.abc import Callable

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import PUBLIC_URL, Killed
from tests.unit.workers.world import World

MAIN = "ann@gmail.com"
TEAM = "team@group.calendar.google.com"


@pytest.fixture
def moving(world: World) -> World:
    """Return a world in which Ann has two tasks, an event, and a second calendar."""
    world.settings(guest_notifications="all")
    world.ann.add_calendar(TEAM)
    for number in (1, 2):
        world.add_task(title=f"Task {number}")
    world.add_event(summary="Hers")
    world.settle()
    world.sync_all(world.connection().id, Trigger.REPAIR)
    world.forget_calls()
    return world


def _choose(world: World, google_calendar_id: str) -> None:
    """Choose a calendar, as the API does; the sync that follows is only queued."""
    connection = world.connection()
    with world.store.begin() as work:
        row = work.connections.by_id(connection.id)
        chosen = work.calendars.of(row.id, "sub-ann", google_calendar_id)
        assert chosen is not None
        if row.state != ConnectionState.ACTIVE:
            work.connections.let_in(row, at=world.clock.now())
        work.calendars.select(chosen)
        work.commit()
    due = messages.ConnectionDue(connection_id=connection.id)
    world.queue(Queue.BACKFILL, due, Trigger.REPAIR)


def _titles(world: World, google_calendar_id: str) -> list[str]:
    rows = world.ann.list_events(google_calendar_id).events
    return sorted(row["summary"] for row in rows if row["status"] != "cancelled")


def _links(world: World) -> dict[str, tables.Link]:
    """Return the links by the titles of their tasks."""
    with world.store.read() as work:
        return {
            task["title"]: link
            for task in world.crm_side.live_tasks()
            if (link := work.links.of_task(world.organization.id, task["id"]))
        }


@pytest.mark.parametrize("call", ["insert_event", "delete_event"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_on_the_way_leaves_each_event_once(
    moving: World, call: str, when: str
) -> None:
    order = moving.ann.fail_next if when == "before" else moving.ann.apply_then_fail
    order(Killed(), on=call)

    _choose(moving, TEAM)
    moving.crash()
    moving.settle()

    assert _titles(moving, MAIN) == ["Hers"]
    assert _titles(moving, TEAM) == ["Task 1", "Task 2"]
    assert set(moving.ann.sent_updates) == {"none"}
    chosen = moving.calendar().id
    links = _links(moving)
    assert links.pop("Hers").state == LinkState.DETACHED
    assert {link.calendar_id for link in links.values()} == {chosen}
    assert {link.state for link in links.values()} == {LinkState.ACTIVE}


@pytest.mark.parametrize("handled", range(12))
@pytest.mark.parametrize("pick", [int, lambda count: count - 1])
def test_a_change_of_mind_leaves_each_event_once(
    moving: World, handled: int, pick: Callable[[int], int]
) -> None:
    _choose(moving, TEAM)
    for _ in range(handled):
        moving.broker.hand_over(moving.dispatcher, pick)
    _choose(moving, MAIN)
    moving.settle(pick=pick)

    assert _titles(moving, MAIN) == ["Hers", "Task 1", "Task 2"]
    assert _titles(moving, TEAM) == []
    assert {link.state for link in _links(moving).values()} == {LinkState.ACTIVE}


def test_a_chosen_calendar_that_is_gone_is_not_replaced(moving: World) -> None:
    _choose(moving, TEAM)
    moving.settle()
    moving.ann.drop_calendar(TEAM)

    moving.sync_all(moving.connection().id, Trigger.MANUAL)
    first = moving.connection()
    moving.reconnect()

    assert (first.state, first.problem) == ("calendar_missing", "calendar_missing")
    assert moving.connection().state == ConnectionState.CALENDAR_MISSING
    assert moving.calendar().google_calendar_id == TEAM
    assert _titles(moving, MAIN) == ["Hers"]
    told = moving.crm_side.notifications["ann", f"calendar_missing:{first.id}"]
    assert told.link == f"{PUBLIC_URL}/me"


def test_another_calendar_takes_the_place_of_one_that_is_gone(moving: World) -> None:
    _choose(moving, TEAM)
    moving.settle()
    moving.ann.drop_calendar(TEAM)
    moving.sync_all(moving.connection().id, Trigger.MANUAL)

    _choose(moving, MAIN)
    moving.settle()

    assert _titles(moving, MAIN) == ["Hers", "Task 1", "Task 2"]
    assert {task["status"] for task in moving.crm_side.live_tasks()} == {"open"}
    assert moving.connection().state == ConnectionState.ACTIVE


def test_events_of_a_calendar_that_is_gone_leave_their_tasks(moving: World) -> None:
    moving.ann.drop_calendar(MAIN)
    moving.sync_all(moving.connection().id, Trigger.MANUAL)

    _choose(moving, TEAM)
    moving.settle()

    assert _titles(moving, TEAM) == ["Task 1", "Task 2"]
    assert {task["status"] for task in moving.crm_side.live_tasks()} == {"open"}
    assert _links(moving)["Hers"].state == LinkState.DETACHED
    assert Reason.NOT_SELECTED in moving.reasons()


def test_a_calendar_that_the_list_has_no_more_cannot_be_chosen(moving: World) -> None:
    moving.ann.drop_calendar(TEAM)

    moving.sync_all(moving.connection().id, Trigger.MANUAL)

    assert _role(moving, TEAM) == "none"
    assert _role(moving, MAIN) == "owner"


def test_a_list_that_is_withheld_says_nothing_of_other_calendars(
    moving: World,
) -> None:
    moving.ann.fail_next(errors.MissingScopesError(), on="list_calendars")

    moving.sync_all(moving.connection().id, Trigger.MANUAL)

    assert _role(moving, TEAM) == "owner"


def _role(world: World, google_calendar_id: str) -> str:
    with world.store.read() as work:
        row = work.calendars.of(world.connection().id, "sub-ann", google_calendar_id)
    assert row is not None
    return row.access_role
