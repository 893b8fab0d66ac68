"""Events that we may not write: the task follows them, whatever the policy."""

from typing import Any

import pytest

from shared.adapters.store.states import LinkState, Outcome
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

FOREIGN: dict[str, Any] = {"organizer": {"email": "stranger@x.example"}}
READ_ONLY: list[dict[str, Any]] = [
    FOREIGN,
    {"locked": True},
    {"eventType": "fromGmail"},
]


@pytest.mark.parametrize("fields", READ_ONLY)
@pytest.mark.parametrize("policy", ["crm_wins", "last_modified_wins", "manual"])
def test_a_task_that_was_edited_is_set_back(
    world: World, fields: dict[str, Any], policy: str
) -> None:
    world.settings(conflict_policy=policy)
    world.add_event(**fields)
    world.settle()
    world.forget_calls()

    world.edit_task(world.only_task()["id"], title="Mine", location="Here")
    world.settle()

    task = world.only_task()
    assert (task["title"], task["location"]) == ("Lunch", None)
    assert world.ann.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.SKIPPED, Reason.READ_ONLY_EVENT)


def test_a_task_that_was_cancelled_is_opened_again(world: World) -> None:
    world.add_event(**FOREIGN)
    world.settle()

    world.edit_task(world.only_task()["id"], status="cancelled")
    world.settle()

    assert world.only_task()["status"] == "open"


def test_a_task_that_was_deleted_stays_deleted_and_its_event_alone(
    world: World,
) -> None:
    world.add_event(**FOREIGN)
    world.settle()
    task_id = world.only_task()["id"]

    world.remove_task(task_id)
    world.settle()
    world.edit_event("fromgoogle", summary="Later")
    world.settle()

    assert world.crm_side.live_tasks() == []
    assert world.only_event()["summary"] == "Later"
    with world.store.read() as work:
        link = work.links.of_task(world.organization.id, task_id)
    assert link is not None
    assert link.state == LinkState.DETACHED


def test_an_edit_of_the_event_is_followed(world: World) -> None:
    world.add_event(**FOREIGN)
    world.settle()

    world.edit_event("fromgoogle", summary="Long lunch")
    world.settle()

    assert world.only_task()["title"] == "Long lunch"
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.APPLIED, Reason.EVENT_EDITED)


def test_a_calendar_that_its_user_may_only_read_is_not_written(world: World) -> None:
    world.add_event()
    world.settle()
    with world.store.begin() as work:
        work.calendars.by_id(world.calendar().id).access_role = "reader"
        work.commit()

    world.edit_task(world.only_task()["id"], title="Mine")
    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_an_event_that_its_guests_may_edit_is_written(world: World) -> None:
    world.add_event(**FOREIGN, guestsCanModify=True)
    world.settle()

    world.edit_task(world.only_task()["id"], title="Ours")
    world.settle()

    assert world.only_event()["summary"] == "Ours"


def test_a_task_gets_no_event_in_a_calendar_that_its_owner_may_only_read(
    world: World,
) -> None:
    with world.store.begin() as work:
        work.calendars.by_id(world.calendar().id).access_role = "reader"
        work.commit()

    world.add_task()
    world.settle()

    assert world.ann.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.SKIPPED, Reason.READ_ONLY_EVENT)


def test_a_former_owners_invitation_stays_when_the_task_moves_on(world: World) -> None:
    world.add_event(**FOREIGN)
    world.settle()

    world.edit_task(world.only_task()["id"], owner_id="ben")
    world.settle()

    assert world.only_event("ann")["id"] == "fromgoogle"
    assert world.only_event("ben")["summary"] == "Lunch"
    assert len(world.crm_side.live_tasks()) == 1
