"""A user whom Google no longer lets us act for: the work waits, and nobody else's."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import Outcome
from shared.domain import errors
from shared.domain.messages import Queue, Trigger, WatchDue
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import PUBLIC_URL
from tests.unit.workers.world import World

REFUSALS = [
    (errors.GrantRevokedError(), "needs_reauthorization"),
    (errors.MissingScopesError(), "missing_scopes"),
]


@pytest.mark.parametrize(("refusal", "state"), REFUSALS)
def test_a_refused_write_parks_the_connection(
    world: World, refusal: Exception, state: str
) -> None:
    world.ann.fail_next(refusal)

    world.add_task()
    world.settle()

    assert world.connection().state == state
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.HELD, Reason.OWNER_MUST_RECONNECT)
    assert world.broker.waiting() == []
    assert world.dead_letters() == []


@pytest.mark.parametrize(("refusal", "state"), REFUSALS)
def test_a_refused_pull_parks_the_connection(
    world: World, refusal: Exception, state: str
) -> None:
    world.ann.fail_next(refusal, on="list_events")

    world.add_event()
    world.settle()

    assert world.connection().state == state
    assert world.broker.waiting() == []


def test_a_refused_read_of_an_event_parks_the_connection(world: World) -> None:
    world.ann.create("existing", summary="Plan")
    world.ann.fail_next(errors.GrantRevokedError(), on="get_event")

    world.add_task(google_event_id="existing", google_calendar_id="ann@gmail.com")
    world.settle()

    assert world.connection().state == "needs_reauthorization"
    assert world.last_item().outcome == Outcome.HELD


def test_a_refused_look_at_an_event_in_a_repair_parks_the_connection(
    world: World,
) -> None:
    world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])
    world.ann.fail_next(errors.GrantRevokedError(), on="get_event")

    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.connection().state == "needs_reauthorization"
    assert world.only_task()["status"] == "open"


@pytest.mark.parametrize("call", ["list_calendars", "watch", "list_events"])
def test_a_refused_first_sync_parks_the_connection(
    empty_world: World, call: str
) -> None:
    for each in {call, "list_events"}:
        empty_world.ann.fail_next(errors.GrantRevokedError(), on=each)

    empty_world.connect("ann")

    assert empty_world.connection().state == "needs_reauthorization"
    assert empty_world.broker.waiting() == []
    assert empty_world.last_item().outcome == Outcome.HELD


def test_a_refused_renewal_of_a_channel_parks_the_connection(world: World) -> None:
    world.ann.fail_next(errors.GrantRevokedError(), on="watch")
    world.pass_time()

    world.queue(Queue.BACKFILL, WatchDue(calendar_id=world.calendar().id))
    world.settle()

    assert world.connection().state == "needs_reauthorization"


def test_a_connection_without_tokens_is_parked(world: World) -> None:
    world.refusals["ann"] = errors.GrantRevokedError()

    world.add_task()
    world.settle()

    assert world.connection().state == "needs_reauthorization"
    assert world.ann.calls == []


def test_the_user_is_told_once_in_the_crm(world: World) -> None:
    connection_id = world.connection().id
    world.ann.fail_next(*[errors.GrantRevokedError()] * 9)

    for _ in range(3):
        world.add_task()
        world.add_event(f"event{len(world.ann.live_events())}")
        world.settle()

    assert world.crm_side.calls.count("notify") == 1
    told = world.crm_side.notifications["ann", f"reauthorize:{connection_id}"]
    assert told.link == f"{PUBLIC_URL}/me"


def test_it_is_parked_though_the_crm_takes_no_notification(world: World) -> None:
    world.crm_side.fail_next(errors.RemoteUnavailableError(), on="notify")
    world.ann.fail_next(errors.GrantRevokedError())

    world.add_task()
    world.settle()

    assert world.connection().state == "needs_reauthorization"
    assert world.broker.waiting() == []


def test_the_others_go_on(world: World) -> None:
    world.ann.fail_next(errors.GrantRevokedError())
    world.add_task()
    world.settle()

    world.add_task(owner_id="ben", title="Ben's")
    world.add_event("bens", "ben", summary="Also Ben's")
    world.settle()

    summaries = {event["summary"] for event in world.ben.live_events()}
    assert summaries == {"Ben's", "Also Ben's"}
    assert world.connection("ben").state == "active"


def test_connecting_again_brings_everything_that_happened_meanwhile(
    world: World,
) -> None:
    tasks = {name: world.add_task(title=name)["id"] for name in ("A", "B", "C", "D")}
    world.settle()
    events = {event["summary"]: event["id"] for event in world.ann.live_events()}
    world.refusals["ann"] = errors.GrantRevokedError()

    world.edit_task(tasks["A"], title="A edited")
    world.remove_task(tasks["B"])
    world.edit_event(events["C"], summary="C edited")
    world.remove_event(events["D"])
    world.add_task(title="New in the CRM")
    world.add_event(summary="New in Google")
    world.settle()
    world.reconnect()

    there = {"A edited", "C edited", "New in the CRM", "New in Google"}
    assert {event["summary"] for event in world.ann.live_events()} == there
    open_ones = {
        task["title"]
        for task in world.crm_side.live_tasks()
        if task["status"] == "open"
    }
    assert open_ones == there
    assert world.crm_side.task(tasks["D"])["status"] == "cancelled"


def test_what_waits_for_its_user_is_not_taken_up_again_and_again(
    world: World,
) -> None:
    world.poll()
    world.ann.fail_next(errors.GrantRevokedError(), on="insert_event")
    world.add_task()
    world.settle()
    lines = len(world.items())

    for _ in range(3):
        world.pass_time(timedelta(minutes=3))
        world.periodic.round()
        world.settle()

    assert len(world.items()) == lines


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.REPAIR])
def test_a_sync_of_a_parked_connection_asks_nobody(
    world: World, trigger: Trigger
) -> None:
    world.change_connection(state="paused")

    world.sync_all(world.connection().id, trigger)

    assert world.ann.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.HELD, Reason.OWNER_MUST_RECONNECT)
    assert world.jobs()[-1].processed == 1


def test_an_event_of_a_parked_connection_waits(world: World) -> None:
    world.add_event()
    world.ann.after_next(
        "list_events", lambda: world.change_connection(state="needs_reauthorization")
    )

    world.settle()

    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.HELD, Reason.OWNER_MUST_RECONNECT)
    assert world.crm_side.live_tasks() == []


# -- the calendar is gone ---------------------------------------------------------


def test_a_calendar_that_is_gone_is_noticed_by_a_pull(world: World) -> None:
    world.ann.drop_calendar("ann@gmail.com")

    world.calendar_changed()
    world.settle()

    assert world.connection().state == "calendar_missing"
    assert world.broker.waiting() == []
    assert len(world.crm_side.notifications) == 1


def test_a_calendar_that_is_gone_is_noticed_by_a_new_event(world: World) -> None:
    world.ann.drop_calendar("ann@gmail.com")

    world.add_task()
    world.settle()

    assert world.connection().state == "calendar_missing"
    assert world.last_item().outcome == Outcome.HELD


@pytest.mark.parametrize("policy", ["google_wins", "last_modified_wins"])
@pytest.mark.parametrize("fields", [{"title": "Plan B"}, {"status": "cancelled"}])
def test_a_calendar_that_is_gone_takes_no_task_along(
    world: World, policy: str, fields: dict[str, str]
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.settle()
    world.ann.drop_calendar("ann@gmail.com")

    edited = world.edit_task(task["id"], **fields)
    world.settle()

    assert world.connection().state == "calendar_missing"
    assert world.crm_side.task(task["id"]) == edited


def test_a_calendar_that_is_gone_is_noticed_by_a_sync_of_everything(
    world: World,
) -> None:
    world.ann.drop_calendar("ann@gmail.com")

    world.sync_all(world.connection().id, Trigger.MANUAL)

    assert world.connection().state == "calendar_missing"
    assert world.broker.waiting() == []


def test_a_task_outside_the_window_that_changed_meanwhile_follows(
    world: World,
) -> None:
    task = world.add_task(due_at="2026-12-03T10:00:00Z")
    world.settle()
    world.change_connection(state="needs_reauthorization")
    world.edit_task(task["id"], title="Plan B")
    world.add_task(title="New", due_at="2026-12-04T10:00:00Z")
    world.poll()

    world.reconnect()

    assert {e["summary"] for e in world.ann.live_events()} == {"Plan B", "New"}


def test_a_task_outside_the_window_that_was_deleted_meanwhile_takes_its_event_along(
    world: World,
) -> None:
    task = world.add_task(due_at="2026-12-03T10:00:00Z")
    world.settle()
    world.change_connection(state="needs_reauthorization")
    world.remove_task(task["id"])
    world.poll()

    world.reconnect()

    assert world.ann.live_events() == []


def test_an_event_outside_the_window_that_changed_meanwhile_is_followed(
    world: World,
) -> None:
    world.add_event()
    world.settle()
    world.pass_time(timedelta(days=40))
    world.poll()
    world.change_connection(state="needs_reauthorization")
    world.edit_event("fromgoogle", summary="Notes")
    world.settle()

    world.reconnect()

    assert world.only_task()["title"] == "Notes"


def test_a_sync_token_that_expired_meanwhile_holds_nothing_up(world: World) -> None:
    world.add_event()
    world.settle()
    world.change_connection(state="needs_reauthorization")
    world.edit_event("fromgoogle", summary="Dinner")
    world.ann.expire_sync_tokens()

    world.reconnect()

    assert world.only_task()["title"] == "Dinner"


def test_changes_meanwhile_are_listed_page_by_page(world: World) -> None:
    world.change_connection(state="needs_reauthorization")
    for number in range(3):
        world.add_event(f"event{number}", summary=f"Lunch {number}")
    world.settle()
    world.ann.page_size = 1

    world.reconnect()

    assert len(world.crm_side.live_tasks()) == 3
