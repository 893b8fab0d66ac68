"""A user chooses another calendar, or connects another Google account."""

from shared.adapters.store.states import LinkState
from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.fakes import InMemoryCalendar
from tests.unit.workers.world import World

TEAM = "team@group.calendar.google.com"


def choose(world: World, google_calendar_id: str) -> None:
    """Let Ann choose one of her calendars."""
    connection = world.connection()
    with world.store.begin() as work:
        chosen = work.calendars.of(connection.id, "sub-ann", google_calendar_id)
        assert chosen is not None
        work.calendars.select(chosen)
        work.commit()
    world.sync_all(connection.id, Trigger.REPAIR)


def with_another_calendar(world: World) -> None:
    """Let Ann have another calendar."""
    world.ann.add_calendar(TEAM)
    world.sync_all(world.connection().id, Trigger.REPAIR)


def test_a_chosen_calendar_stays_chosen(world: World) -> None:
    with_another_calendar(world)
    choose(world, TEAM)

    world.sync_all(world.connection().id, Trigger.REPAIR)
    world.add_task()
    world.settle()

    assert world.calendar().google_calendar_id == TEAM
    assert world.ann.live_events() == []
    assert world.only_link().calendar_id == world.calendar().id


def test_events_that_we_made_move_without_mail(world: World) -> None:
    world.settings(guest_notifications="all")
    with_another_calendar(world)
    world.add_task()
    world.settle()
    world.forget_calls()

    choose(world, TEAM)

    assert world.ann.live_events() == []
    assert world.only_link().calendar_id == world.calendar().id
    assert world.only_link().state == LinkState.ACTIVE
    assert set(world.ann.sent_updates) == {"none"}


def test_events_of_the_users_own_stay_and_their_links_are_detached(
    world: World,
) -> None:
    with_another_calendar(world)
    world.add_event()
    world.settle()

    choose(world, TEAM)

    assert world.only_event()["summary"] == "Lunch"
    assert world.only_link().state == LinkState.DETACHED
    assert world.last_item().reason == Reason.NOT_SELECTED


def test_they_follow_again_when_their_calendar_is_chosen_again(world: World) -> None:
    with_another_calendar(world)
    world.add_event()
    world.settle()
    choose(world, TEAM)

    choose(world, "ann@gmail.com")
    world.edit_task(world.only_task()["id"], title="Dinner")
    world.settle()

    assert world.only_event()["summary"] == "Dinner"
    assert world.only_link().state == LinkState.ACTIVE


def test_another_google_account_gets_events_and_the_old_one_keeps_its_own(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    old = world.ann
    world.accounts["ann"] = InMemoryCalendar(world.clock, address="ann@work.example")

    world.change_connection(google_sub="sub-new", google_address="ann@work.example")
    world.reconnect()

    assert len(old.live_events()) == 1
    event = world.only_event()
    assert event["extendedProperties"]["private"]["crmTaskId"] == task["id"]
    assert world.only_link().event_id == event["id"]
    assert len(world.crm_side.live_tasks()) == 1


def test_the_first_account_has_one_event_again_when_it_is_connected_again(
    world: World,
) -> None:
    world.add_task()
    world.settle()
    old, new = world.ann, InMemoryCalendar(world.clock, address="ann@work.example")
    world.accounts["ann"] = new
    world.change_connection(google_sub="sub-new", google_address="ann@work.example")
    world.reconnect()

    world.accounts["ann"] = old
    world.change_connection(google_sub="sub-ann", google_address="ann@gmail.com")
    world.reconnect()

    assert world.only_link().event_id == world.only_event()["id"]
    assert len(world.crm_side.live_tasks()) == 1


def test_an_event_outside_the_window_moves_too(world: World) -> None:
    with_another_calendar(world)
    world.add_task(due_at="2026-12-03T10:00:00Z")
    world.settle()

    choose(world, TEAM)

    assert world.ann.live_events() == []
    assert world.only_link().calendar_id == world.calendar().id


def test_what_is_over_in_the_former_calendar_is_left_in_peace(world: World) -> None:
    with_another_calendar(world)
    world.add_task(due_at="2026-12-03T10:00:00Z", status="open")
    world.settle()
    world.edit_task(world.only_task()["id"], status="cancelled")
    world.settle()
    world.forget_calls()

    choose(world, TEAM)

    assert "get_task" not in world.crm_side.calls
