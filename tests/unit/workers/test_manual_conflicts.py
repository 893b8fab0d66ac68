"""Under the manual policy a user settles a conflict; until then both sides stay."""

import pytest

from shared.adapters.store.states import ConflictState, LinkState, Outcome
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import PUBLIC_URL
from tests.unit.workers.world import World


def _edit_both(world: World) -> str:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], title="CRM")
    world.edit_event(world.only_event()["id"], summary="Google")
    world.pass_time()
    world.settle(pick=lambda count: count - 1)
    return str(task["id"])


def test_both_versions_and_what_was_before_are_stored(world: World) -> None:
    task_id = _edit_both(world)

    (conflict,) = world.conflicts()
    assert (conflict.state, conflict.fields) == (ConflictState.OPEN, ["title"])
    assert conflict.crm_user_id == "ann"
    assert conflict.baseline is not None
    assert conflict.baseline["title"] == "Plan"
    assert conflict.crm is not None
    assert conflict.crm["title"] == "CRM"
    assert conflict.google is not None
    assert conflict.google["title"] == "Google"
    assert world.only_event()["summary"] == "Google"
    assert world.crm_side.task(task_id)["title"] == "CRM"
    assert world.only_link().state == LinkState.CONFLICT
    item = next(i for i in world.items() if i.outcome == Outcome.CONFLICT)
    assert item.reason == Reason.CONFLICT_FLAGGED


def test_the_user_is_told_once_in_the_crm(world: World) -> None:
    task_id = _edit_both(world)
    (conflict,) = world.conflicts()
    key = ("ann", f"conflict:{conflict.id}")
    told = world.crm_side.notifications.pop(key)

    world.edit_task(task_id, title="CRM again")
    world.settle()

    assert told.link == f"{PUBLIC_URL}/me/conflicts"
    assert world.crm_side.notifications == {}


def test_a_conflict_counts_though_the_crm_takes_no_notification(world: World) -> None:
    world.crm_side.fail_next(errors.RemoteUnavailableError(), on="notify")

    _edit_both(world)

    assert len(world.conflicts()) == 1
    assert world.dead_letters() == []


def test_further_edits_are_followed_while_it_waits(world: World) -> None:
    task_id = _edit_both(world)

    world.edit_task(task_id, title="CRM again", location="Room 3")
    world.edit_event(world.only_event()["id"], summary="Google again")
    world.settle()

    (conflict,) = world.conflicts()
    assert conflict.state == ConflictState.OPEN
    assert conflict.fields == ["location", "title"]
    assert conflict.crm is not None
    assert conflict.crm["title"] == "CRM again"
    assert conflict.google is not None
    assert conflict.google["title"] == "Google again"
    assert world.only_event()["summary"] == "Google again"


def test_it_ends_when_both_sides_agree(world: World) -> None:
    task_id = _edit_both(world)

    world.edit_event(world.only_event()["id"], summary="CRM")
    world.settle()

    (conflict,) = world.conflicts()
    assert conflict.state == ConflictState.RESOLVED
    assert conflict.resolved_at is not None
    assert world.only_link().state == LinkState.ACTIVE
    assert world.crm_side.task(task_id)["title"] == "CRM"


def test_it_ends_when_one_side_takes_its_edit_back(world: World) -> None:
    task_id = _edit_both(world)

    world.edit_task(task_id, title="Plan")
    world.settle()

    assert [c.state for c in world.conflicts()] == [ConflictState.RESOLVED]
    assert world.crm_side.task(task_id)["title"] == "Google"


def test_it_ends_when_another_policy_is_chosen(world: World) -> None:
    task_id = _edit_both(world)
    world.settings(conflict_policy="crm_wins")

    world.edit_task(task_id, title="CRM again")
    world.settle()

    assert [c.state for c in world.conflicts()] == [ConflictState.RESOLVED]
    assert world.only_event()["summary"] == "CRM again"


def test_it_ends_when_the_task_leaves_the_scope(world: World) -> None:
    task_id = _edit_both(world)

    world.edit_task(task_id, type="Call")
    world.settle()

    assert [c.state for c in world.conflicts()] == [ConflictState.RESOLVED]
    assert world.ann.live_events() == []


def test_a_second_conflict_of_the_same_meeting_is_another_one(world: World) -> None:
    task_id = _edit_both(world)
    world.edit_event(world.only_event()["id"], summary="CRM")
    world.settle()

    world.edit_task(task_id, title="CRM 2")
    world.edit_event(world.only_event()["id"], summary="Google 2")
    world.settle()

    states = [conflict.state for conflict in world.conflicts()]
    assert states == [ConflictState.RESOLVED, ConflictState.OPEN]
    assert len(world.crm_side.notifications) == 2


def test_a_conflict_can_be_found_at_the_first_meeting_of_both(world: World) -> None:
    world.settings(conflict_policy="manual")
    event = world.ann.create("fromgoogle", summary="Google")

    task = world.add_task(
        title="CRM", google_event_id=event["id"], google_calendar_id="ann@gmail.com"
    )
    world.settle()

    (conflict,) = world.conflicts()
    assert conflict.baseline is None
    assert world.only_link().state == LinkState.CONFLICT
    assert world.only_event()["summary"] == "Google"
    assert world.crm_side.task(task["id"])["title"] == "CRM"


def test_a_conflict_is_not_settled_by_another_owner(world: World) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.edit_event(world.only_event()["id"], summary="Google")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    assert world.only_event("ann")["summary"] == "Google"
    assert [c.state for c in world.conflicts()] == ["open"]

    world.edit_task(task["id"], title="Google")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Google"
    assert [c.state for c in world.conflicts()] == ["resolved"]


# -- settled by its user ----------------------------------------------------------


def _choose(world: World, **choice: str) -> None:
    with world.store.begin() as work:
        conflict = work.conflicts.by_id(world.conflicts()[0].id)
        conflict.choice = choice
        work.commit()


def _look(world: World, task_id: str) -> None:
    due = messages.TaskDue(organization_id=world.organization.id, task_id=task_id)
    world.queue(Queue.RECORDS, due, Trigger.MANUAL)
    world.settle()


@pytest.mark.parametrize(("side", "title"), [("crm", "CRM"), ("google", "Google")])
def test_the_side_that_was_chosen_is_kept(world: World, side: str, title: str) -> None:
    task_id = _edit_both(world)
    _choose(world, title=side)
    world.forget_calls()

    _look(world, task_id)

    assert world.crm_side.task(task_id)["title"] == title
    assert world.only_event()["summary"] == title
    assert world.conflicts()[0].state == ConflictState.RESOLVED
    assert world.only_link().state == LinkState.ACTIVE
    assert world.last_item().reason == Reason.CONFLICT_SETTLED
    assert set(world.ann.sent_updates) <= {"none"}


def test_each_field_can_be_chosen_by_itself(world: World) -> None:
    task_id = _edit_both(world)
    world.edit_task(task_id, location="Room 1")
    world.edit_event(world.only_event()["id"], location="Room 2")
    world.settle()
    _choose(world, title="crm", location="google")

    _look(world, task_id)

    task, event = world.crm_side.task(task_id), world.only_event()
    assert (task["title"], task["location"]) == ("CRM", "Room 2")
    assert (event["summary"], event["location"]) == ("CRM", "Room 2")


def test_a_choice_between_edits_that_are_no_more_is_not_carried_out(
    world: World,
) -> None:
    task_id = _edit_both(world)
    _choose(world, title="google")
    told = world.crm_side.notifications.copy()
    world.crm_side.notifications.clear()

    world.edit_task(task_id, title="CRM again")
    world.settle()

    (conflict,) = world.conflicts()
    assert world.crm_side.task(task_id)["title"] == "CRM again"
    assert world.only_event()["summary"] == "Google"
    assert (conflict.state, conflict.choice) == (ConflictState.OPEN, None)
    assert conflict.version > 1
    assert world.crm_side.notifications.keys() == told.keys()


def test_an_edit_in_google_that_nobody_saw_is_not_overwritten_by_a_choice(
    world: World,
) -> None:
    task_id = _edit_both(world)
    _choose(world, title="crm")
    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Unseen")

    _look(world, task_id)

    assert world.only_event()["summary"] == "Unseen"
    assert world.conflicts()[0].state == ConflictState.OPEN


def test_a_choice_can_revive_what_one_side_deleted(world: World) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], title="CRM")
    world.remove_event(world.only_event()["id"])
    world.pass_time()
    world.settle(pick=lambda count: count - 1)
    (conflict,) = world.conflicts()
    _choose(world, **dict.fromkeys(conflict.fields, "crm"))

    _look(world, task["id"])

    assert world.only_event()["summary"] == "CRM"
    assert world.crm_side.task(task["id"])["status"] == "open"


def test_another_policy_settles_what_waits_for_a_user(world: World) -> None:
    task_id = _edit_both(world)
    world.settings(conflict_policy="google_wins")

    _look(world, task_id)

    assert world.crm_side.task(task_id)["title"] == "Google"
    assert world.conflicts()[0].state == ConflictState.RESOLVED
