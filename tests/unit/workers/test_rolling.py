"""The window moves on every day: meetings enter it, and others leave it."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import LinkState
from shared.domain.messages import Trigger
from tests.unit.workers.series import add_series, at, statuses, tasks
from tests.unit.workers.world import World

DAY = timedelta(days=1)


def _days_pass(world: World, days: int) -> None:
    for _ in range(days):
        world.pass_time(DAY)
        world.periodic.round()
        world.settle()


def test_an_occurrence_that_enters_the_window_becomes_a_task(simulated: World) -> None:
    add_series(simulated)
    before = len(tasks(simulated))

    _days_pass(simulated, 8)

    found = tasks(simulated)
    assert len(found) == before + 1
    assert at(found[-1]).date().isoformat() == "2026-06-02"


def test_an_occurrence_that_leaves_the_window_keeps_its_task(simulated: World) -> None:
    add_series(simulated)
    first = tasks(simulated)[0]

    _days_pass(simulated, 32)

    with simulated.store.read() as work:
        link = work.links.of_task(simulated.organization.id, first["id"])
    assert link is not None
    assert link.state == LinkState.DETACHED
    assert simulated.crm_side.task(first["id"])["status"] == "open"


def test_what_has_left_the_window_is_synced_when_it_is_edited(simulated: World) -> None:
    add_series(simulated)
    first = tasks(simulated)[0]
    _days_pass(simulated, 32)

    simulated.edit_task(first["id"], title="Minutes")
    simulated.settle()

    event = simulated.ann.event(first["google_event_id"])
    assert event["summary"] == "Minutes"


def test_a_window_that_moves_writes_to_google_nothing(simulated: World) -> None:
    add_series(simulated)
    simulated.forget_calls()

    _days_pass(simulated, 40)

    assert simulated.ann.sent_updates == []
    assert set(statuses(simulated)) == {"open"}


def test_a_single_event_enters_the_window_though_nobody_edits_it(world: World) -> None:
    start = world.clock.now() + timedelta(days=100)
    times = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
    }
    world.ann.create("faraway", summary="Fair", **times)
    world.sync_all(world.connection().id, Trigger.BACKFILL)
    assert world.crm_side.live_tasks() == []

    _days_pass(world, 11)

    assert world.only_task()["title"] == "Fair"


def test_a_task_enters_the_window_though_nobody_edits_it(world: World) -> None:
    due_at = world.clock.now() + timedelta(days=100)
    world.crm_side.add(owner_id="ann", title="Fair", due_at=due_at.isoformat())
    world.sync_all(world.connection().id, Trigger.BACKFILL)
    assert world.ann.live_events() == []

    _days_pass(world, 11)

    assert world.only_event()["summary"] == "Fair"


def test_the_window_moves_once_a_day(simulated: World) -> None:
    add_series(simulated)
    simulated.forget_calls()

    for _ in range(26):
        simulated.pass_time(timedelta(hours=1))
        simulated.periodic.round()
        simulated.settle()

    assert simulated.ann.calls.count("list_instances") == 1


@pytest.mark.parametrize("frequency", ["manual"])
def test_no_window_moves_by_itself_where_syncs_are_made_by_hand(
    simulated: World, frequency: str
) -> None:
    add_series(simulated)
    before = len(tasks(simulated))
    simulated.settings(frequency=frequency)

    _days_pass(simulated, 8)

    assert len(tasks(simulated)) == before


def test_a_window_whose_list_breaks_off_moves_with_the_next_attempt(
    simulated: World,
) -> None:
    add_series(simulated)
    before = len(tasks(simulated))
    simulated.pass_time(8 * DAY)
    simulated.be_down(on="list_instances")
    simulated.periodic.round()
    simulated.settle(patience=timedelta(minutes=1))

    assert len(tasks(simulated)) == before + 1
