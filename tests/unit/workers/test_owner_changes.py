"""A task with another owner has its event in that owner's calendar, and only there."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import LinkState
from shared.domain import errors
from shared.domain.reasons import Reason
from tests import fakes
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World


def test_the_event_moves_to_the_new_owners_calendar(world: World) -> None:
    task = world.add_task()
    world.settle()
    former = world.only_event()["id"]

    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    assert world.ann.live_events() == []
    event = world.only_event("ben")
    assert event["id"] != former
    assert event["extendedProperties"]["private"]["crmTaskId"] == task["id"]
    link = world.only_link()
    assert (link.event_id, link.generation) == (event["id"], 1)
    assert world.last_item().reason == Reason.OWNER_CHANGED


def test_nobody_gets_mail_because_of_that(world: World) -> None:
    world.settings(guest_notifications="all")
    task = world.add_task(attendees=[{"email": "guest@x.example"}])
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    assert world.ben.sent_updates == ["none"]
    assert world.ann.sent_updates == ["none"]


def test_what_follows_goes_to_the_new_owner_only(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], owner_id="ben")
    world.settle()
    world.calendar_changed("ann")
    world.calendar_changed("ben")
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], title="Plan B")
    world.settle()
    world.edit_event(world.only_event("ben")["id"], "ben", location="Room 3")
    world.settle()

    assert world.ann.calls == []
    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan B"
    assert world.crm_side.task(task["id"])["location"] == "Room 3"


def test_a_task_that_comes_back_to_its_first_owner_gets_a_third_event(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    first = world.only_event()["id"]
    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    world.edit_task(task["id"], owner_id="ann")
    world.settle()

    assert world.ben.live_events() == []
    assert world.only_event()["id"] != first
    assert world.only_link().generation == 2


def test_the_task_of_an_imported_event_moves_too(world: World) -> None:
    world.add_event()
    world.settle()

    world.edit_task(world.only_task()["id"], owner_id="ben")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Lunch"
    named = (
        world.only_task()["google_event_id"],
        world.only_task()["google_calendar_id"],
    )
    assert named == (world.only_event("ben")["id"], "ben@gmail.com")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("name", "call"), [("ben", "insert_event"), ("ann", "delete_event")]
)
def test_a_crash_in_between_leaves_one_event(
    world: World, name: str, call: str, when: str
) -> None:
    task = world.add_task()
    world.settle()
    account: fakes.InMemoryCalendar = world.accounts[name]
    order = account.fail_next if when == "before" else account.apply_then_fail
    order(Killed(), on=call)

    world.edit_task(task["id"], owner_id="ben")
    world.crash()
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_link().event_id == world.only_event("ben")["id"]
    assert world.only_link().state == LinkState.ACTIVE


def test_nobody_gets_mail_after_a_crash_either(world: World) -> None:
    world.settings(guest_notifications="all")
    task = world.add_task(attendees=[{"email": "guest@x.example"}])
    world.settle()
    world.forget_calls()
    world.ben.fail_next(Killed(), on="insert_event")

    world.edit_task(task["id"], owner_id="ben")
    world.crash()
    world.settle()

    assert world.ben.sent_updates == ["none"]


def test_a_former_event_that_cannot_be_removed_now_is_removed_later(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.be_down("ann", on="delete_event")

    world.edit_task(task["id"], owner_id="ben")
    world.settle()
    before = len(world.ann.live_events())
    world.pass_time(timedelta(seconds=10))
    world.settle()

    assert before == 1
    assert world.ann.live_events() == []
    assert len(world.ben.live_events()) == 1


def test_a_former_owner_who_revoked_access_holds_nobody_up(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.ann.fail_next(errors.GrantRevokedError(), on="delete_event")

    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    assert world.only_event("ben")["summary"] == "Plan"
    assert world.connection("ann").state == "needs_reauthorization"
    assert world.connection("ben").state == "active"
    assert world.last_item().outcome == "applied"


def test_the_former_event_is_removed_when_its_owner_is_back(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.ann.fail_next(errors.GrantRevokedError(), on="delete_event")
    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    world.reconnect("ann")

    assert world.ann.live_events() == []
    assert len(world.ben.live_events()) == 1
    assert world.only_task()["id"] == task["id"]


def test_a_task_that_is_cancelled_while_it_moves_has_no_event_anywhere(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], owner_id="ben", status="cancelled")
    world.settle()

    assert world.ann.live_events() == []
    assert world.ben.live_events() == []


def test_a_cancelled_task_with_another_owner_is_reopened_in_that_calendar(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], owner_id="ben", status="cancelled")
    world.settle()

    world.edit_task(task["id"], status="open")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan"


def test_an_event_that_was_edited_just_before_it_moves_takes_the_task_along(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()
    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    assert world.only_event("ben")["summary"] == "Plan B"


def test_a_new_owner_without_a_connection_takes_the_task_out_of_scope(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], owner_id="cleo")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_link().state == LinkState.DETACHED
    assert world.last_item().reason == Reason.OWNER_NOT_CONNECTED


def test_the_task_gets_an_event_when_its_new_owner_connects(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], owner_id="cleo")
    world.settle()

    world.connect("cleo")

    assert world.only_event("cleo")["summary"] == "Plan"
    assert world.only_link().state == LinkState.ACTIVE


def test_the_task_waits_for_a_new_owner_who_must_connect_again(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.change_connection("ben", state="needs_reauthorization")

    world.edit_task(task["id"], owner_id="ben")
    world.settle()
    waiting = world.last_item()
    world.reconnect("ben")

    assert (waiting.outcome, waiting.reason) == ("held", Reason.OWNER_MUST_RECONNECT)
    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan"


def test_a_former_event_that_is_restored_goes_again(world: World) -> None:
    task = world.add_task()
    world.settle()
    former = world.only_event()["id"]
    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    world.edit_event(former, "ann", status="confirmed")
    world.settle()

    assert world.ann.live_events() == []
    assert len(world.ben.live_events()) == 1
    assert world.only_task()["id"] == task["id"]


def test_a_task_made_anew_belongs_to_the_user_of_its_events_calendar(
    world: World,
) -> None:
    world.settings(conflict_policy="google_wins")
    task = world.add_task()
    world.settle()
    world.crm_side.edit(task["id"], owner_id="ben")
    world.crm_side.remove(task["id"])

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()

    assert world.only_task()["owner_id"] == "ann"
    assert world.only_event()["summary"] == "Plan B"
    assert world.ben.live_events() == []


def test_an_owner_who_changes_while_an_edit_is_written_gets_it_too(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.pass_time()
    world.crm_side.edit(task["id"], owner_id="ben")

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan B"
    assert world.only_task()["title"] == "Plan B"
    assert world.last_item().reason == Reason.OWNER_CHANGED


def test_a_task_that_leaves_the_scope_while_an_edit_is_written_loses_its_event(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.crm_side.edit(task["id"], type="Call")

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_link().state == LinkState.DETACHED


def test_a_date_removed_while_an_edit_is_written_leaves_the_users_own_event(
    world: World,
) -> None:
    world.add_event()
    world.settle()
    world.pass_time()
    world.crm_side.edit(world.only_task()["id"], due_at=None, duration_minutes=None)

    world.edit_event("fromgoogle", summary="Long lunch")
    world.settle()

    assert world.only_event()["summary"] == "Long lunch"
    assert world.only_link().state == LinkState.DETACHED


def test_a_new_owner_who_must_connect_again_is_waited_for_after_the_edit(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.change_connection("ben", state="needs_reauthorization")
    world.crm_side.edit(task["id"], owner_id="ben")

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()
    held = world.last_item()
    world.reconnect("ben")

    assert (held.outcome, held.reason) == ("held", Reason.OWNER_MUST_RECONNECT)
    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan B"


def test_a_task_that_is_made_unheard_and_moved_at_once_is_moved(world: World) -> None:
    world.add_event()
    world.crm_side.apply_then_fail(errors.RemoteUnavailableError(), on="create_task")
    world.settle()
    world.pass_time()

    world.crm_side.edit(world.only_task()["id"], owner_id="ben")
    world.settle(patience=timedelta(minutes=1))

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Lunch"


def test_an_event_that_was_made_unheard_before_its_task_moved_goes(
    world: World,
) -> None:
    world.ann.apply_then_fail(Killed(), on="insert_event")
    task = world.add_task()
    world.crash()

    world.edit_task(task["id"], owner_id="ben")
    world.calendar_changed("ann")
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan"
    assert world.only_task()["id"] == task["id"]


def test_an_edit_that_waits_to_be_looked_at_moves_along(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.edit_task(task["id"], owner_id="ben")

    world.broker.hand_over(world.dispatcher)  # the pull
    world.settle()

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan B"
    assert world.only_task()["title"] == "Plan B"
    assert world.last_item().reason != Reason.OWNER_MUST_RECONNECT


def test_an_edit_that_waits_in_a_lost_calendar_does_not_hold_up_the_new_owner(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.broker.hand_over(world.dispatcher)  # the pull
    world.change_connection(state="needs_reauthorization")

    world.edit_task(task["id"], owner_id="ben")
    world.settle()

    assert len(world.ben.live_events()) == 1


def test_an_event_removed_for_a_new_owner_without_a_connection_stays_away(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], owner_id="cleo")
    world.settle()

    world.edit_task(task["id"], title="Plan B")
    world.settle()

    assert world.ann.live_events() == []
