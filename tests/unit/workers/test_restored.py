"""The database is yesterday's again: what was done since then stays done."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store.states import LinkState
from shared.domain import messages, model
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.machinery import Database
from tests.unit.workers.test_calendar_choice import TEAM, choose, with_another_calendar
from tests.unit.workers.world import World
from workers import rebuilding
from workers.rebuilding import Report


class Meetings:
    """Ann's meetings, each titled by what happens to it after the backup."""

    def __init__(self, world: World) -> None:
        """Begin without any."""
        self._world = world

    def make(self, title: str) -> None:
        """Let Ann enter it in the CRM."""
        self._world.add_task(title=title)

    def edit(self, title: str, **fields: object) -> None:
        """Edit its task."""
        self._world.edit_task(self._task(title)["id"], **fields)

    def remove(self, title: str) -> None:
        """Delete its task."""
        self._world.remove_task(self._task(title)["id"])

    def edit_event(self, title: str, name: str = "ann", **fields: object) -> None:
        """Edit its event."""
        events = self._world.accounts[name].live_events()
        (event,) = [each for each in events if each["summary"] == title]
        self._world.edit_event(event["id"], name, **fields)

    def _task(self, title: str) -> model.Document:
        tasks = self._world.crm_side.live_tasks()
        (task,) = [task for task in tasks if task["title"] == title]
        return task


Happening = Callable[[Meetings, str], object]
"""One after the other, with all that follows from it in between."""

HAPPENINGS: Mapping[str, list[Happening]] = {
    "edited in the CRM": [lambda m, t: m.edit(t, location="Room 1")],
    "edited in Google": [lambda m, t: m.edit_event(t, location="Room 1")],
    "edited to and fro": [
        lambda m, t: m.edit(t, location="Room 1"),
        lambda m, t: m.edit_event(t, location="Room 2", description="New"),
        lambda m, t: m.edit(t, location="Room 3"),
    ],
    "deleted in the CRM": [lambda m, t: m.remove(t)],
    "deleted in Google": [lambda m, t: m.edit_event(t, status="cancelled")],
    "cancelled and reopened": [
        lambda m, t: m.edit(t, status="cancelled"),
        lambda m, t: m.edit(t, status="open"),
    ],
    "out of scope": [lambda m, t: m.edit(t, type="Call")],
    "out of scope and back": [
        lambda m, t: m.edit(t, type="Call"),
        lambda m, t: m.edit(t, type="Meeting"),
    ],
    "handed over": [lambda m, t: m.edit(t, owner_id="ben")],
    "handed over and edited": [
        lambda m, t: m.edit(t, owner_id="ben"),
        lambda m, t: m.edit_event(t, "ben", location="Room 1"),
    ],
    "handed over and back": [
        lambda m, t: m.edit(t, owner_id="ben"),
        lambda m, t: m.edit(t, owner_id="ann"),
    ],
    "handed over and deleted": [
        lambda m, t: m.edit(t, owner_id="ben"),
        lambda m, t: m.edit_event(t, "ben", status="cancelled"),
    ],
}


def _entered_in_crm(world: World) -> None:
    for title in HAPPENINGS:
        world.add_task(title=title)


def _entered_in_google(world: World) -> None:
    for number, title in enumerate(HAPPENINGS):
        world.add_event(f"fromgoogle{number}", summary=title)


def _handed_over_before(world: World) -> None:
    """Enter tasks whose events are not their first ones any more."""
    made = [world.add_task(title=title, owner_id="ben") for title in HAPPENINGS]
    world.settle()
    for task in made:
        world.edit_task(task["id"], owner_id="ann")


def _happen(world: World) -> None:
    meetings = Meetings(world)
    for title, happenings in HAPPENINGS.items():
        for happen in happenings:
            happen(meetings, title)
            world.settle()
    world.poll()


def _restore(database: Database, world: World) -> World:
    """Return the world with yesterday's database, whose links were rebuilt."""
    restored = World(database.begin_anew("yesterday"), world.outside)
    restored.pass_time()
    return restored


def _rebuild(world: World) -> Report:
    return rebuilding.rebuild(world.services, world.organization)


def _seen(world: World) -> dict[str, Any]:
    """Return all that people see on both sides."""
    fields = ("title", "location", "description", "status", "owner_id", "type")
    tasks = {t["id"]: [t.get(f) for f in fields] for t in world.crm_side.live_tasks()}
    shown = ("summary", "location", "description", "start")
    events = {
        f"{name} {event['id']}": [event.get(f) for f in shown]
        for name in ("ann", "ben")
        for event in world.accounts[name].live_events()
    }
    return tasks | events


def _look_first_at(world: World, side: str) -> None:
    if side == "crm":
        for task in world.crm_side.live_tasks():
            world.task_changed(task)
    else:
        world.calendar_changed(side)
    world.settle()


@pytest.mark.parametrize(
    ("enter", "first"),
    [
        (_entered_in_crm, "crm"),
        (_entered_in_crm, "ann"),
        (_entered_in_google, "ann"),
        (_handed_over_before, "ben"),
    ],
)
def test_what_happened_since_the_backup_stays(
    world: World, database: Database, enter: Callable[[World], None], first: str
) -> None:
    enter(world)
    world.settle()
    database.keep("yesterday")
    _happen(world)
    before = _seen(world)

    restored = _restore(database, world)
    _rebuild(restored)
    _look_first_at(restored, first)
    restored.poll()
    restored.poll()

    assert _seen(restored) == before
    assert not restored.dead_letters()


def test_a_link_that_is_older_than_its_event_is_renewed(
    world: World, database: Database
) -> None:
    world.add_task()
    world.settle()
    database.keep("yesterday")
    world.edit_task(world.only_task()["id"], owner_id="ben")
    world.settle()
    restored = _restore(database, world)

    report = _rebuild(restored)

    event_id = restored.only_event("ben")["id"]
    link = restored.only_link()
    assert [each.event_id for each in report.renewed] == [event_id]
    assert (report.kept, report.made) == (1, [])
    assert (link.event_id, link.generation) == (event_id, 1)
    assert link.state == LinkState.ACTIVE
    assert _rebuild(restored).renewed == []


def test_edits_made_while_the_database_was_away_are_carried_over(
    world: World, database: Database
) -> None:
    for title in ("handed over", "kept"):
        world.add_task(title=title)
    world.settle()
    database.keep("yesterday")
    meetings = Meetings(world)
    meetings.edit("handed over", owner_id="ben")
    meetings.edit("kept", location="Room 1")
    world.settle()
    # Nobody hears of these any more.
    meetings.edit("handed over", location="Room 2")
    meetings.edit_event("kept", location="Room 2")

    restored = _restore(database, world)
    _rebuild(restored)
    restored.poll()
    restored.poll()

    places = {task["location"] for task in restored.crm_side.live_tasks()}
    assert places == {"Room 2"}
    assert restored.only_event()["location"] == "Room 2"
    assert restored.only_event("ben")["location"] == "Room 2"


def test_events_that_have_moved_to_another_calendar_since_are_not_missed(
    world: World, database: Database
) -> None:
    with_another_calendar(world)
    world.add_task()
    world.settle()
    database.keep("yesterday")
    choose(world, TEAM)

    restored = _restore(database, world)
    report = _rebuild(restored)
    restored.poll()

    assert len(report.renewed) == 1
    assert restored.only_task()["status"] == "open"
    # The choice is lost with the database, and the event goes where the others are.
    assert restored.only_event()["summary"] == "Plan"


def test_without_a_backup_what_was_edited_meanwhile_is_carried_over(
    world: World, database: Database
) -> None:
    world.add_event()
    world.settle()
    world.pass_time(timedelta(minutes=1))
    world.ann.edit("fromgoogle", location="Room 1")

    lost = World(database.begin_anew(), world.outside)
    lost.connect("ann")

    assert lost.only_task()["location"] == "Room 1"
    assert lost.only_event()["location"] == "Room 1"


@pytest.mark.parametrize("pick", [int, lambda count: count - 1])
def test_without_a_backup_a_task_that_was_handed_over_keeps_its_event(
    world: World, database: Database, pick: Callable[[int], int]
) -> None:
    world.add_task()
    world.settle()
    world.edit_task(world.only_task()["id"], owner_id="ben")
    world.settle()
    before = _seen(world)

    lost = World(database.begin_anew(), world.outside)
    connection_id = lost.store_connection("ben")
    due = messages.ConnectionDue(connection_id=connection_id)
    lost.queue(Queue.BACKFILL, due, Trigger.BACKFILL)
    lost.settle(pick=pick)

    assert _seen(lost) == before
    assert lost.only_link().event_id == lost.only_event("ben")["id"]
