"""Many records deleted at once are held until an admin has decided."""

from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import Outcome
from shared.domain import errors, messages, model
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from shared.domain.reconcile import Hold
from tests.unit.workers.world import World

LIMIT = 3


@pytest.fixture
def busy(world: World) -> World:
    """Return a world in which Ann has six meetings from either side."""
    world.settings(mass_deletion_limit=LIMIT)
    for number in range(3):
        world.add_task(title=f"Task {number}")
        world.add_event(f"event{number}")
    world.settle()
    world.forget_calls()
    return world


def _delete_events(world: World, count: int) -> None:
    world.pass_time()
    for event in list(world.ann.live_events())[:count]:
        world.ann.remove(event["id"])
    world.calendar_changed()
    world.settle()


def _statuses(world: World) -> list[str]:
    return sorted(task["status"] for task in world.crm_side.live_tasks())


def _held(world: World) -> list[tables.HeldDeletion]:
    with world.store.read() as work:
        page = work.held_deletions.page(world.organization.id, limit=10)
    return list(page.rows)


def _decide(world: World, decision: Hold) -> None:
    """Store an admin's decision; the timer has it carried out."""
    with world.store.begin() as work:
        (row,) = work.held_deletions.page(world.organization.id, limit=10).rows
        row.state, row.decided_at = decision, world.clock.now()
        work.commit()
    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()


def test_more_deletions_than_the_limit_wait_for_an_admin(busy: World) -> None:
    _delete_events(busy, LIMIT + 1)

    assert _statuses(busy) == 6 * ["open"]
    (row,) = _held(busy)
    assert (row.side, row.state) == ("google", Hold.WAITING)
    held = [item for item in busy.items() if item.outcome == Outcome.HELD]
    assert {item.reason for item in held} == {Reason.MASS_DELETION}
    assert len(held) == LIMIT + 1


def test_as_many_deletions_as_the_limit_are_carried_out(busy: World) -> None:
    _delete_events(busy, LIMIT)

    assert _statuses(busy) == [*LIMIT * ["cancelled"], *3 * ["open"]]
    assert _held(busy) == []


def test_a_fifth_of_all_links_may_always_go(world: World) -> None:
    world.settings(mass_deletion_limit=0)
    for number in range(10):
        world.add_event(f"event{number}")
    world.settle()

    _delete_events(world, 2)

    assert _statuses(world) == [*2 * ["cancelled"], *8 * ["open"]]


def test_what_else_changed_in_the_run_goes_on(busy: World) -> None:
    kept = busy.ann.live_events()[-1]
    busy.pass_time()
    busy.ann.edit(kept["id"], summary="Renamed")

    _delete_events(busy, LIMIT + 1)

    titles = {task["title"] for task in busy.crm_side.live_tasks()}
    assert "Renamed" in titles


def test_the_pages_of_a_list_count_together(busy: World) -> None:
    busy.ann.page_size = 2

    _delete_events(busy, LIMIT + 1)

    assert len(_held(busy)) == 1
    assert _statuses(busy) == 6 * ["open"]


def test_deletions_in_the_crm_that_a_poll_finds_are_held_as_well(busy: World) -> None:
    busy.pass_time()
    for task in list(busy.crm_side.live_tasks())[: LIMIT + 1]:
        busy.crm_side.remove(task["id"])

    busy.poll()

    (row,) = _held(busy)
    assert row.side == "crm"
    assert len(busy.ann.live_events()) == 6


def test_an_approved_deletion_is_carried_out(busy: World) -> None:
    _delete_events(busy, LIMIT + 1)

    _decide(busy, Hold.APPROVED)

    assert _statuses(busy) == [*4 * ["cancelled"], *2 * ["open"]]


def test_a_rejected_deletion_is_undone_without_mail(busy: World) -> None:
    busy.settings(guest_notifications="all")
    _delete_events(busy, LIMIT + 1)

    _decide(busy, Hold.REJECTED)

    assert _statuses(busy) == 6 * ["open"]
    assert len(busy.ann.live_events()) == 6
    assert set(busy.ann.sent_updates) == {"none"}


def test_a_rejected_deletion_of_tasks_makes_them_anew(busy: World) -> None:
    busy.pass_time()
    for task in list(busy.crm_side.live_tasks())[: LIMIT + 1]:
        busy.crm_side.remove(task["id"])
    busy.poll()

    _decide(busy, Hold.REJECTED)

    assert _statuses(busy) == 6 * ["open"]
    assert len(busy.ann.live_events()) == 6


def test_whoever_looks_meanwhile_cancels_nothing(busy: World) -> None:
    _delete_events(busy, LIMIT + 1)

    for task in busy.crm_side.live_tasks():
        due = messages.TaskDue(organization_id=busy.organization.id, task_id=task["id"])
        busy.queue(Queue.RECORDS, due)
    busy.settle()
    busy.sync_all(busy.connection().id, Trigger.REPAIR)

    assert _statuses(busy) == 6 * ["open"]
    assert len(_held(busy)) == 1


def test_what_its_user_restores_is_not_held_any_more(busy: World) -> None:
    _delete_events(busy, LIMIT + 1)
    restored = busy.ann.bin()[0]

    busy.edit_event(restored["id"], status="confirmed", summary="Back")
    busy.settle()
    busy.edit_event(restored["id"], status="cancelled")
    busy.settle()

    assert _statuses(busy).count("cancelled") == 1


def test_an_edit_of_what_is_left_waits_too(busy: World) -> None:
    _delete_events(busy, LIMIT + 1)
    task = next(
        t
        for t in busy.crm_side.live_tasks()
        if busy.ann.event(t["google_event_id"] or _event_of(busy, t))["status"]
        == "cancelled"
    )

    busy.edit_task(task["id"], title="Edited")
    busy.settle()

    assert busy.last_item().reason == Reason.MASS_DELETION
    assert len(busy.ann.live_events()) == 2


def test_a_list_that_breaks_off_holds_and_cancels_nothing(busy: World) -> None:
    busy.ann.page_size = 2
    busy.pass_time()
    for event in list(busy.ann.live_events())[: LIMIT + 1]:
        busy.ann.remove(event["id"])
    failure = errors.RemoteUnavailableError()
    busy.ann.after_next("list_events", lambda: busy.ann.fail_next(failure))

    busy.calendar_changed()
    busy.settle(patience=timedelta(seconds=5))

    assert _held(busy) == []
    assert _statuses(busy) == 6 * ["open"]
    busy.settle(patience=timedelta(minutes=2))
    assert len(_held(busy)) == 1


def _event_of(world: World, task: model.Document) -> str:
    with world.store.read() as work:
        link = work.links.of_task(world.organization.id, task["id"])
    assert link is not None
    return str(link.event_id)
