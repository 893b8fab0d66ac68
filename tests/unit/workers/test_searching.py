"""An admin's search for orphans is stored, and what is chosen of it is repaired."""

from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import OrphanState
from shared.domain import messages
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.losing import outage
from tests.unit.workers.world import World


@pytest.fixture
def orphaned(world: World) -> World:
    """Return a world with an event whose task was deleted unseen."""
    task = world.add_task()
    world.settle()
    world.crm_side.remove(task["id"])
    return world


def search(world: World) -> tables.Search:
    """Let a search run; return how it ended."""
    organization_id = world.organization.id
    with world.store.begin() as work:
        work.searches.request(organization_id, world.clock.now())
        work.commit()
    due = messages.SearchDue(organization_id=organization_id)
    world.queue(Queue.BACKFILL, due, Trigger.MANUAL)
    world.settle()
    with world.store.read() as work:
        return work.searches.by_id(organization_id)


def found(world: World) -> list[tables.Orphan]:
    """Return what is stored of the last search."""
    with world.store.read() as work:
        return list(work.orphans.page(world.organization.id, limit=50).rows)


def repair(world: World) -> None:
    """Choose all that can be repaired, and let that run."""
    organization_id = world.organization.id
    with world.store.begin() as work:
        for row in work.orphans.repairable(organization_id):
            row.state = OrphanState.CHOSEN
        work.commit()
    due = messages.RepairDue(organization_id=organization_id)
    world.queue(Queue.BACKFILL, due, Trigger.REPAIR)
    world.settle()


def test_what_is_found_is_stored_and_nothing_is_written(orphaned: World) -> None:
    ended = search(orphaned)

    assert (ended.finished_at, ended.error) == (orphaned.clock.now(), None)
    (row,) = found(orphaned)
    assert (row.kind, row.repair) == ("events-without-task", "cancel the event")
    assert (row.title, row.state) == ("Plan", OrphanState.FOUND)
    assert len(orphaned.ann.live_events()) == 1


def test_a_search_replaces_what_the_last_one_found(orphaned: World) -> None:
    search(orphaned)
    repair(orphaned)

    search(orphaned)

    assert found(orphaned) == []


def test_a_search_that_was_asked_for_anew_since_does_not_run(orphaned: World) -> None:
    organization_id = orphaned.organization.id
    with orphaned.store.begin() as work:
        later = orphaned.clock.now() + timedelta(minutes=1)
        work.searches.request(organization_id, later)
        work.commit()
    due = messages.SearchDue(organization_id=organization_id)

    orphaned.queue(Queue.BACKFILL, due, Trigger.MANUAL)
    orphaned.settle()

    assert found(orphaned) == []


def test_a_side_that_is_away_is_told_and_what_was_found_stays(orphaned: World) -> None:
    search(orphaned)
    orphaned.crm_side.fail_next(outage())

    ended = search(orphaned)

    assert ended.error
    assert len(found(orphaned)) == 1


def test_what_is_chosen_is_repaired(orphaned: World) -> None:
    search(orphaned)

    repair(orphaned)

    assert orphaned.ann.live_events() == []
    (row,) = found(orphaned)
    assert row.state == OrphanState.REPAIRED


def test_what_is_in_order_by_now_is_left_alone(orphaned: World) -> None:
    search(orphaned)
    orphaned.remove_event(orphaned.only_event()["id"])
    orphaned.settle()

    repair(orphaned)

    (row,) = found(orphaned)
    assert row.state == OrphanState.GONE


def test_a_repair_that_cannot_look_again_touches_nothing(orphaned: World) -> None:
    search(orphaned)
    orphaned.crm_side.fail_next(outage())

    repair(orphaned)

    (row,) = found(orphaned)
    assert (row.state, bool(row.error)) == (OrphanState.FAILED, True)
    assert len(orphaned.ann.live_events()) == 1


def test_a_repair_of_nothing_looks_at_nothing(world: World) -> None:
    world.settle()
    world.forget_calls()

    repair(world)

    assert world.crm_side.calls == []


def test_a_repair_that_fails_says_why(world: World) -> None:
    world.add_event("lunch0")
    world.settle()
    first = world.only_task()
    world.crm_side.add(
        title=first["title"],
        owner_id="ann",
        due_at=first["due_at"],
        duration_minutes=first["duration_minutes"],
    )
    search(world)
    world.crm_side.fail_next(outage(), on="get_task")

    repair(world)

    (row,) = found(world)
    assert (row.state, bool(row.error)) == (OrphanState.FAILED, True)
