"""Google lets an account invite no more guests: they wait, and nothing else does.

403 quotaExceeded, facts 182 and 190-192, failure F26.
"""

from datetime import timedelta

import pytest

from shared.adapters.store.states import LinkState, Outcome
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World
from workers.guests import HELD_GUESTS_WAIT

CARL, DORA = "carl@x.example", "dora@x.example"


@pytest.fixture
def limited(world: World) -> World:
    """Return a world in which Ann may invite nobody at present."""
    world.ann.invites_nobody = True
    return world


def test_an_event_is_made_without_its_guests(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()

    assert (limited.only_event()["summary"], guests(limited)) == ("Plan", set())
    assert attendees(limited) == {CARL}
    assert limited.only_link().state == LinkState.ACTIVE
    item = limited.last_item()
    assert (item.outcome, item.reason) == (Outcome.APPLIED, Reason.GUESTS_HELD_BACK)
    assert item.next_attempt_at == limited.clock.now() + HELD_GUESTS_WAIT
    assert limited.dead_letters() == []


def test_an_edit_goes_through_without_its_guests(limited: World) -> None:
    task = limited.add_task()
    limited.settle()

    limited.edit_task(task["id"], title="Plan B", attendees=rows(CARL))
    limited.settle()

    assert (limited.only_event()["summary"], guests(limited)) == ("Plan B", set())
    assert limited.last_item().reason == Reason.GUESTS_HELD_BACK


def test_an_edit_of_nothing_but_guests_writes_nothing(limited: World) -> None:
    task = limited.add_task()
    limited.settle()
    before = limited.only_event()

    limited.edit_task(task["id"], attendees=rows(CARL))
    limited.settle()

    assert limited.only_event() == before
    assert limited.last_item().reason == Reason.GUESTS_HELD_BACK


def test_who_is_on_the_event_stays_and_who_was_taken_off_goes(world: World) -> None:
    task = world.add_task(attendees=rows(CARL, "emil@x.example"))
    world.settle()
    world.ann.invites_nobody = True

    world.edit_task(task["id"], attendees=rows(CARL, DORA))
    world.settle()

    assert guests(world) == {CARL}
    assert attendees(world) == {CARL, DORA}


def test_guests_follow_by_themselves_when_google_lets_them(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.ann.invites_nobody = False

    wait(limited)

    assert guests(limited) == {CARL}
    assert limited.last_item().reason == Reason.GUESTS_INVITED
    assert limited.only_link().held_guests == []
    limited.forget_calls()
    wait(limited)
    assert "patch_event" not in limited.ann.calls


def test_guests_that_follow_later_get_no_mail(limited: World) -> None:
    limited.settings(guest_notifications="all")
    limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.ann.invites_nobody = False

    wait(limited)

    assert limited.ann.sent_updates == ["all", "none"]


def test_they_are_tried_again_for_as_long_as_it_takes(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.forget_calls()

    for _ in range(30):
        wait(limited)

    assert limited.ann.calls.count("patch_event") == 30
    assert limited.last_item().reason == Reason.GUESTS_HELD_BACK
    assert limited.dead_letters() == []


def test_they_are_not_tried_before_their_time(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.forget_calls()

    for _ in range(3):
        limited.poll()

    assert "patch_event" not in limited.ann.calls


def test_a_retry_by_an_admin_tries_them_too(limited: World) -> None:
    task = limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.ann.invites_nobody = False

    due = messages.TaskDue(organization_id=limited.organization.id, task_id=task["id"])
    limited.queue(Queue.RECORDS, due, Trigger.RETRY)
    limited.settle()

    assert guests(limited) == {CARL}


def test_the_next_edit_of_the_guests_tries_them_all(limited: World) -> None:
    task = limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.ann.invites_nobody = False

    limited.edit_task(task["id"], attendees=rows(CARL, DORA))
    limited.settle()

    assert guests(limited) == {CARL, DORA}
    assert limited.only_link().held_guests == []


def test_an_edit_in_the_crm_meanwhile_follows_at_once(limited: World) -> None:
    task = limited.add_task(attendees=rows(CARL))
    limited.settle()

    limited.edit_task(task["id"], title="Plan B")
    limited.settle()

    assert limited.only_event()["summary"] == "Plan B"
    assert limited.last_item().reason == Reason.TASK_EDITED
    assert limited.only_link().held_guests == [CARL]


@pytest.mark.parametrize("policy", ["crm_wins", "google_wins", "last_modified_wins"])
def test_an_edit_in_google_meanwhile_takes_no_guest_away(
    limited: World, policy: str
) -> None:
    limited.settings(conflict_policy=policy)
    limited.add_task(attendees=rows(CARL))
    limited.settle()

    limited.edit_event(limited.only_event()["id"], summary="Plan B")
    limited.settle()

    assert limited.only_task()["title"] == "Plan B"
    assert attendees(limited) == {CARL}
    assert limited.conflicts() == []
    limited.ann.invites_nobody = False
    wait(limited)
    assert guests(limited) == {CARL}


def test_our_own_write_without_them_is_an_echo(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.forget_calls()

    limited.calendar_changed()
    limited.poll()

    assert not {"patch_task", "patch_event"} & {*limited.crm_side.calls}
    assert "patch_event" not in limited.ann.calls
    assert attendees(limited) == {CARL}


def test_a_guest_added_in_google_joins_those_who_wait(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()

    limited.edit_event(limited.only_event()["id"], attendees=rows(DORA))
    limited.settle()

    assert attendees(limited) == {CARL, DORA}


def test_whom_the_user_invites_by_hand_waits_no_longer(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()

    limited.edit_event(limited.only_event()["id"], attendees=rows(CARL))
    limited.settle()
    limited.edit_event(limited.only_event()["id"], attendees=[])
    limited.settle()

    assert attendees(limited) == set()
    assert limited.only_link().guests_due_at is None


def test_who_is_taken_off_the_task_is_not_invited_later(limited: World) -> None:
    task = limited.add_task(attendees=rows(CARL))
    limited.settle()

    limited.edit_task(task["id"], attendees=[])
    limited.settle()
    limited.ann.invites_nobody = False
    wait(limited)

    assert guests(limited) == set()
    assert limited.only_link().held_guests == []


def test_a_cancelled_meeting_invites_nobody(limited: World) -> None:
    task = limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.edit_task(task["id"], status="cancelled")
    limited.settle()
    limited.ann.invites_nobody = False

    wait(limited)

    assert limited.ann.live_events() == []
    limited.edit_task(task["id"], status="open")
    limited.settle()
    wait(limited)
    assert guests(limited) == {CARL}


def test_the_guests_of_a_parked_connection_wait_for_it(limited: World) -> None:
    limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.change_connection(state="needs_reauthorization")
    lines = len(limited.items())

    wait(limited)

    assert len(limited.items()) == lines


def test_a_limit_that_is_not_about_guests_is_waited_out(world: World) -> None:
    world.ann.fail_next(*[errors.UsageLimitError()] * 2)

    world.add_task(attendees=rows(CARL))
    world.settle()
    failed = world.last_item()
    world.settle(patience=timedelta(hours=2))

    assert (failed.outcome, failed.reason) == (Outcome.FAILED, "usage_limit")
    assert guests(world) == {CARL}


def test_a_limit_that_an_edit_without_guests_meets_is_waited_out(
    limited: World,
) -> None:
    task = limited.add_task(attendees=rows(CARL))
    limited.settle()
    limited.ann.fail_next(errors.UsageLimitError(), on="patch_event")

    limited.edit_task(task["id"], title="Plan B")
    limited.settle()
    failed = limited.last_item()
    limited.settle(patience=timedelta(hours=2))

    assert (failed.outcome, failed.reason) == (Outcome.FAILED, "usage_limit")
    assert limited.only_event()["summary"] == "Plan B"
    assert attendees(limited) == {CARL}


@pytest.mark.parametrize("call", ["insert_event", "patch_event"])
@pytest.mark.parametrize("policy", ["google_wins", "last_modified_wins"])
@pytest.mark.parametrize("is_heard", [False, True], ids=["before", "after"])
def test_a_crash_while_guests_are_held_back_loses_none(
    world: World, call: str, policy: str, *, is_heard: bool
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task(attendees=[] if call == "patch_event" else rows(CARL))
    if call == "patch_event":
        world.settle()
        world.edit_task(task["id"], title="Plan B", attendees=rows(CARL))
    world.ann.invites_nobody = True
    # The first call is refused because of the guests; the second one is cut off.
    if is_heard:
        world.ann.apply_then_fail(Killed(), on=call)
    else:
        world.ann.before_next(
            call, lambda: world.ann.before_next(call, lambda: cut(world))
        )

    world.crash()
    world.settle()

    assert world.only_event()["summary"] == world.only_task()["title"]
    assert world.only_task()["title"] == ("Plan B" if call == "patch_event" else "Plan")
    assert attendees(world) == {CARL}
    world.ann.invites_nobody = False
    wait(world)
    assert guests(world) == {CARL}


def test_an_event_that_moved_on_meanwhile_is_decided_anew(limited: World) -> None:
    task = limited.add_task()
    limited.settle()
    event_id = limited.only_event()["id"]
    limited.ann.before_next(
        "patch_event", lambda: limited.ann.edit(event_id, location="Room 7")
    )
    limited.settings(merge_disjoint_edits=True)

    limited.edit_task(task["id"], title="Plan B", attendees=rows(CARL))
    limited.settle()

    event = limited.only_event()
    assert (event["summary"], event["location"]) == ("Plan B", "Room 7")
    assert attendees(limited) == {CARL}


# -- what is said again and again above -------------------------------------------


def cut(world: World) -> None:
    """Let the worker die."""
    del world
    raise Killed


def rows(*addresses: str) -> list[dict[str, str]]:
    """Return guests, as the CRM and Google write them."""
    return [{"email": address} for address in addresses]


def guests(world: World) -> set[str]:
    """Return whom the event has as guests."""
    return {row["email"] for row in world.only_event().get("attendees", [])}


def attendees(world: World) -> set[str]:
    """Return whom the task has as guests."""
    return {row["email"] for row in world.only_task()["attendees"]}


def wait(world: World) -> None:
    """Let the time come at which held guests are tried again."""
    world.pass_time(HELD_GUESTS_WAIT)
    world.periodic.round()
    world.settle()
