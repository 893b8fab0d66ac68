"""What happens between two commits of a worker: another's work, or its own death."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import ConflictState, ConnectionState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World


def _look_at(world: World, task_id: str) -> None:
    due = messages.TaskDue(organization_id=world.organization.id, task_id=task_id)
    world.queue(Queue.RECORDS, due, Trigger.REPAIR)


def _leave(world: World, name: str = "ann") -> None:
    """Let somebody disconnect, and have the events removed that we made."""
    paused = {"state": ConnectionState.PAUSED, "probed_at": world.clock.now()}
    world.change_connection(name, **paused)
    due = messages.RemovalDue(connection_id=world.connection(name).id)
    world.queue(Queue.BACKFILL, due, Trigger.MANUAL)


def _round(world: World) -> None:
    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()


def _die(*_: object, **__: object) -> None:
    raise Killed


# -- mails ------------------------------------------------------------------------


def test_guests_of_a_new_meeting_are_mailed_though_the_first_try_had_no_budget_left(
    world: World,
) -> None:
    world.settings(guest_notifications="all")
    world.ann.fail_next(errors.BudgetSpentError(retry_after=1), on="insert_event")

    world.add_task(attendees=[{"email": "guest@elsewhere.example"}])
    world.settle()

    assert world.ann.sent_updates == ["all"]
    assert len(world.ann.live_events()) == 1


# -- holds and conflicts ----------------------------------------------------------


def test_a_deletion_held_while_a_worker_has_its_record_in_hand_stays_held(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    for number in range(3):
        world.add_event(f"event{number}")
    world.settle()
    world.pass_time()
    task = world.crm_side.live_tasks()[0]

    def empty_the_calendar() -> None:
        for event in world.ann.live_events():
            world.ann.remove(event["id"])
        world.calendar_changed()
        world.settle()

    world.crm_side.before_next("get_task", empty_the_calendar)
    _look_at(world, task["id"])
    world.settle()
    _look_at(world, task["id"])
    world.settle()

    assert [task["status"] for task in world.crm_side.live_tasks()] == 3 * ["open"]
    with world.store.read() as work:
        (held,) = work.held_deletions.page(world.organization.id, limit=10).rows
        assert len(work.held_deletions.links_of(held.id)) == 3


@pytest.fixture
def edited_twice(world: World) -> World:
    """Return a world in which both sides of a meeting were edited unseen."""
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Google")
    world.edit_task(task["id"], title="CRM")
    return world


def _choose_unheard(world: World) -> None:
    """Let the user choose what Google has, and the message of it get lost."""
    world.settle()
    world.pass_time()
    (conflict,) = world.conflicts()
    with world.store.begin() as work:
        row = work.conflicts.by_id(conflict.id)
        row.choice, row.updated_at = {"title": "google"}, world.clock.now()
        work.commit()


def test_who_has_a_conflict_is_told_though_the_worker_that_found_it_died(
    edited_twice: World,
) -> None:
    edited_twice.crm_side.fail_next(Killed(), on="notify")
    edited_twice.crash()
    assert len(edited_twice.conflicts()) == 1
    assert not edited_twice.crm_side.notifications

    edited_twice.settle()

    assert len(edited_twice.crm_side.notifications) == 1


def test_a_choice_whose_message_was_lost_is_carried_out_all_the_same(
    edited_twice: World,
) -> None:
    _choose_unheard(edited_twice)

    _round(edited_twice)

    assert edited_twice.only_task()["title"] == "Google"
    assert edited_twice.conflicts()[0].state == ConflictState.RESOLVED


def test_a_choice_that_cannot_be_carried_out_is_not_tried_for_ever(
    edited_twice: World,
) -> None:
    _choose_unheard(edited_twice)
    refusal = errors.RemoteRejectedError("no")
    edited_twice.crm_side.fail_next(refusal, on="update_task")

    for _ in range(3):
        _round(edited_twice)

    assert edited_twice.crm_side.calls.count("update_task") == 1
    assert len(edited_twice.dead_letters()) == 1


# -- people who leave -------------------------------------------------------------


def test_what_was_edited_unseen_before_a_handover_arrives_though_its_worker_died(
    simulated: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated.connect("ben")
    guests = [{"email": f"{name}@gmail.com"} for name in ("ann", "ben")]
    simulated.accounts["cleo"].create("shared", summary="Review", attendees=guests)
    for name in ("ann", "ben"):
        simulated.calendar_changed(name)
        simulated.settle()
    simulated.pass_time()
    simulated.accounts["cleo"].edit("shared", summary="Retrospective")
    simulated.calendar_changed("ben")
    simulated.settle()
    assert simulated.only_task()["title"] == "Review"

    simulated.change_connection("ann", state=ConnectionState.DISCONNECTED)
    due = messages.HandoverDue(connection_id=simulated.connection("ann").id)
    simulated.queue(Queue.RECORDS, due, Trigger.REPAIR)
    with monkeypatch.context() as patch:
        patch.setattr(simulated.broker, "publish", _die)
        simulated.crash()
    _round(simulated)

    assert simulated.only_task()["title"] == "Retrospective"


def test_an_event_whose_maker_died_is_removed_for_a_user_who_leaves(
    world: World,
) -> None:
    world.add_task()
    world.ann.apply_then_fail(Killed(), on="insert_event")
    world.crash()
    assert len(world.ann.live_events()) == 1

    _leave(world)
    world.settle()

    assert world.ann.live_events() == []
    assert world.connection().state == ConnectionState.DISCONNECTED


def test_who_connects_again_after_the_last_event_was_removed_gets_it_back(
    world: World,
) -> None:
    world.add_task()
    world.settle()
    _leave(world)
    world.ann.after_next("delete_event", world.reconnect)

    world.settle()

    assert world.connection().state == ConnectionState.ACTIVE
    assert len(world.ann.live_events()) == 1


def test_a_task_is_not_cancelled_for_an_event_that_was_removed_in_an_earlier_life(
    world: World,
) -> None:
    world.add_task()
    world.settle()
    link = world.only_link()
    world.pass_time()
    world.ann.remove(link.event_id or "")
    with world.store.begin() as work:
        work.links.forget(link.id)
        work.commit()

    _look_at(world, link.task_id or "")
    world.settle()

    assert world.only_task()["status"] == "open"
    assert len(world.ann.live_events()) == 1
