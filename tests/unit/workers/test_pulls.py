"""A pull lists what changed on one calendar, and never more often than it must."""

from datetime import timedelta

from shared import metrics
from shared.adapters.store.states import ChannelState, Direction, JobState
from shared.domain import messages
from shared.domain.messages import Delay, Queue, Trigger
from shared.domain.ports import Done, Later
from tests.fakes import InMemoryCalendar
from tests.unit.workers.machinery import Killed
from tests.unit.workers.series import account
from tests.unit.workers.world import World
from workers.consumer import Dispatcher


def _lists(world: World, name: str = "ann") -> int:
    return world.accounts[name].calls.count("list_events")


def test_a_burst_of_notifications_costs_two_lists(world: World) -> None:
    world.add_event()
    for _ in range(9):
        world.calendar_changed()

    def meanwhile() -> None:
        world.broker.run(world.dispatcher)

    world.ann.before_next("list_events", meanwhile)
    world.settle()

    assert _lists(world) == 2
    assert world.only_task()["title"] == "Lunch"


def test_a_wish_during_a_list_is_granted_by_another_list(world: World) -> None:
    world.add_event()

    def meanwhile() -> None:
        world.add_event("late", summary="Late")
        world.broker.run(world.dispatcher)

    world.ann.after_next("list_events", meanwhile)
    world.settle()

    titles = {task["title"] for task in world.crm_side.live_tasks()}
    assert titles == {"Lunch", "Late"}


def test_a_calendar_that_somebody_else_lists_is_listed_a_second_later(
    world: World,
) -> None:
    world.add_event()

    with world.store.try_lock(f"calendar:{world.calendar().id}"):
        world.broker.run(world.dispatcher)
        meanwhile = _lists(world)
    world.settle()

    assert (meanwhile, _lists(world)) == (0, 1)
    assert world.only_task()["title"] == "Lunch"


def test_what_changes_right_after_a_list_waits_a_second_for_the_next(
    world: World,
) -> None:
    world.add_event()
    world.broker.run(world.dispatcher)

    for number in range(5):
        world.ann.edit("fromgoogle", summary=f"Lunch {number}")
        world.calendar_changed()
        world.broker.run(world.dispatcher)
    meanwhile = _lists(world)
    world.settle()

    assert (meanwhile, _lists(world)) == (1, 2)
    assert world.only_task()["title"] == "Lunch 4"


def test_what_changes_later_is_listed_at_once(world: World) -> None:
    world.add_event()
    world.settle()
    world.pass_time(timedelta(seconds=1))

    world.edit_event("fromgoogle", summary="Dinner")
    world.broker.run(world.dispatcher)

    assert world.only_task()["title"] == "Dinner"


def test_a_clock_that_is_set_back_holds_nothing_up(world: World) -> None:
    world.add_event()
    world.settle()
    world.pass_time(timedelta(hours=-1))

    world.ann.edit("fromgoogle", summary="Dinner")
    world.calendar_changed()
    world.broker.run(world.dispatcher)

    assert _lists(world) == 2


def test_a_worker_that_dies_before_the_next_list_loses_no_wish(world: World) -> None:
    world.add_event()
    world.broker.run(world.dispatcher)
    world.edit_event("fromgoogle", summary="Dinner")
    world.broker.run(world.dispatcher)

    world.dispatcher = Dispatcher(world.services)
    world.settle()

    assert world.only_task()["title"] == "Dinner"


def test_the_list_goes_on_page_by_page(world: World) -> None:
    world.accounts["ann"] = _with_pages_of_one(world)
    for number in range(3):
        world.ann.create(f"event{number}", summary=f"Event {number}")

    world.calendar_changed()
    world.settle()

    assert _lists(world) == 3
    assert len(world.crm_side.live_tasks()) == 3


def _with_pages_of_one(world: World) -> InMemoryCalendar:
    paged = InMemoryCalendar(world.clock, address="ann@gmail.com", page_size=1)
    paged.channels |= world.ann.channels
    return paged


def test_a_crash_between_two_pages_repeats_the_first_one(world: World) -> None:
    world.accounts["ann"] = _with_pages_of_one(world)
    for number in range(2):
        world.ann.create(f"event{number}", summary=f"Event {number}")
    world.ann.after_next(
        "list_events", lambda: world.ann.fail_next(Killed(), on="list_events")
    )

    world.calendar_changed()
    world.crash()
    world.settle()

    assert len(world.crm_side.live_tasks()) == 2


def test_the_cursor_moves_only_after_the_broker_has_confirmed(world: World) -> None:
    world.add_event()
    (message,) = world.broker.lose()
    before = world.calendar().sync_token

    world.broker.is_away = True
    disposition = world.dispatcher(message)
    token = world.calendar().sync_token
    world.broker.is_away = False

    assert isinstance(disposition, Later)
    assert disposition.delay is Delay.TEN_SECONDS
    assert token == before
    world.broker.publish(disposition.message)
    world.settle()
    assert world.only_task()["title"] == "Lunch"
    assert world.calendar().sync_token != before


def test_a_list_that_fails_is_made_again_later(world: World) -> None:
    world.be_down(on="list_events")
    world.add_event()
    world.settle()
    failed = world.jobs()[-1]

    world.settle(patience=timedelta(seconds=20))

    assert failed.state == JobState.FAILED
    assert world.only_task()["title"] == "Lunch"
    job = world.jobs()[-1]
    assert (job.id, job.state, job.errors) == (failed.id, JobState.SUCCEEDED, 0)


def test_a_failed_list_holds_up_nobody_else(world: World) -> None:
    world.be_down(on="list_events")

    world.add_event()
    world.add_event("bens", "ben", summary="Ben's")
    world.settle()

    assert world.only_task()["title"] == "Ben's"


def test_a_poll_without_changes_is_a_job_without_items(world: World) -> None:
    world.poll()

    job = next(
        job
        for job in world.jobs()
        if (job.trigger, job.direction) == (Trigger.SCHEDULE, Direction.GOOGLE_TO_CRM)
    )
    assert (job.state, job.processed) == (JobState.SUCCEEDED, 0)


def test_a_notification_of_what_we_wrote_ourselves_leaves_no_job(world: World) -> None:
    before = world.jobs()
    world.calendar_changed()

    world.settle()

    assert _lists(world) == 1
    assert len(world.jobs()) == len(before)


# -- which channels count ---------------------------------------------------------


def test_a_notification_of_an_unknown_channel_is_dropped(world: World) -> None:
    notified = messages.ChannelNotified(
        channel_id="unheard-of", resource_id="r", resource_state="exists"
    )

    world.queue(Queue.GOOGLE_CHANGES, notified)
    world.settle()

    assert world.ann.calls == []
    assert world.broker.waiting() == []


def _close(world: World) -> str:
    (channel,) = world.channels()
    with world.store.begin() as work:
        work.channels.by_id(channel.id).state = ChannelState.CLOSED
        work.commit()
    return channel.id


def test_a_channel_that_is_no_longer_in_use_is_stopped(world: World) -> None:
    _close(world)

    world.calendar_changed()
    world.settle()

    assert world.ann.calls == ["stop_channel"]
    assert world.ann.channels == {}


def test_a_channel_that_cannot_be_stopped_is_left_to_expire(world: World) -> None:
    _close(world)
    world.be_down()

    world.calendar_changed()
    world.settle()

    assert world.broker.waiting() == []
    assert len(world.ann.channels) == 1


def test_a_channel_of_another_google_account_is_left_to_expire(world: World) -> None:
    _close(world)
    world.change_connection(google_sub="sub-other")

    world.calendar_changed()
    world.settle()

    assert world.ann.calls == []


def test_a_channel_of_a_parked_connection_is_stopped(world: World) -> None:
    world.change_connection(state="paused")

    world.calendar_changed()
    world.settle()

    assert world.ann.calls == ["stop_channel"]
    assert world.channels() == []


def test_a_channel_whose_opening_was_not_heard_of_counts(world: World) -> None:
    channel_id = _close(world)
    with world.store.begin() as work:
        channel = work.channels.by_id(channel_id)
        channel.state, channel.resource_id = ChannelState.OPENING, None
        work.commit()

    world.add_event()
    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_a_calendar_that_is_no_longer_synced_is_not_listed(world: World) -> None:
    with world.store.begin() as work:
        work.calendars.select_none(world.connection().id)
        work.commit()

    world.add_event()
    world.settle()

    assert world.ann.calls == ["stop_channel"]


def test_an_event_of_a_calendar_that_is_no_longer_synced_is_not_imported(
    world: World,
) -> None:
    def deselect() -> None:
        with world.store.begin() as work:
            work.calendars.select_none(world.connection().id)
            work.commit()

    world.ann.after_next("list_events", deselect)
    world.add_event()
    world.settle()

    assert world.crm_side.live_tasks() == []
    assert world.last_item().reason == "calendar_not_selected"


# -- the sync token ---------------------------------------------------------------


def test_an_expired_sync_token_leads_to_a_repair_that_deletes_nothing(
    world: World,
) -> None:
    world.add_task()
    world.add_event()
    world.settle()
    world.ann.expire_sync_tokens()
    world.ann.edit("fromgoogle", summary="Dinner")

    world.calendar_changed()
    world.settle()

    assert len(world.ann.live_events()) == 2
    tasks = world.crm_side.live_tasks()
    assert {task["title"] for task in tasks} == {"Plan", "Dinner"}
    assert {task["status"] for task in tasks} == {"open"}
    assert {job.trigger for job in world.jobs()} >= {"repair"}


def test_the_repair_finds_what_was_deleted_while_the_token_was_of_no_use(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.ann.expire_sync_tokens()
    event_id = world.only_event()["id"]
    world.ann.remove(event_id)
    world.ann.purge(event_id)

    world.calendar_changed()
    world.settle()

    assert world.crm_side.task(task["id"])["status"] == "cancelled"


def test_pulls_go_on_after_the_repair(world: World) -> None:
    world.ann.expire_sync_tokens()
    world.calendar_changed()
    world.settle()

    world.add_event()
    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_an_expired_sync_token_leads_to_one_repair(world: World) -> None:
    world.ann.expire_sync_tokens()
    for _ in range(5):
        world.calendar_changed()

    world.settle()

    repairs = [job for job in world.jobs() if job.trigger == Trigger.REPAIR]
    assert len(repairs) == 1


def test_a_repair_that_was_lost_is_made_up_for(world: World) -> None:
    world.ann.expire_sync_tokens()
    world.add_event()
    (message,) = world.broker.lose()
    assert isinstance(world.dispatcher(message), Done)
    world.broker.lose()

    world.pass_time(timedelta(minutes=5))
    world.periodic.round()
    world.settle()

    assert world.only_task()["title"] == "Lunch"


# -- what the push missed ---------------------------------------------------------


def test_changes_that_only_the_poll_found_are_counted_and_lead_to_another_channel(
    world: World,
) -> None:
    (former,) = world.channels()
    missed = metrics.missed_by_push._value.get()  # noqa: SLF001 - has no reader
    world.ann.create("fromgoogle", summary="Lunch")

    world.poll()

    (channel,) = world.channels()
    assert world.only_task()["title"] == "Lunch"
    assert channel.id != former.id
    assert set(world.ann.channels) == {channel.id}
    assert metrics.missed_by_push._value.get() == missed + 1  # noqa: SLF001 - as above


def test_a_change_of_just_now_was_not_missed(world: World) -> None:
    (former,) = world.channels()
    world.pass_time(timedelta(minutes=20))
    world.ann.create("fromgoogle", summary="Lunch")

    world.periodic.round()
    world.settle()

    assert world.only_task()["title"] == "Lunch"
    assert [channel.id for channel in world.channels()] == [former.id]


def test_our_own_writes_were_not_missed(world: World) -> None:
    (former,) = world.channels()
    world.add_task()
    world.settle()

    world.poll()

    assert [channel.id for channel in world.channels()] == [former.id]


def test_an_empty_page_is_not_the_end_of_a_list(simulated: World) -> None:
    account(simulated).google.order("empty-pages", on=True)

    simulated.add_event("first")
    simulated.add_event("second")
    simulated.settle()
    simulated.sync_all(simulated.connection().id, Trigger.REPAIR)

    assert len(simulated.crm_side.live_tasks()) == 2
    assert simulated.calendar().sync_token is not None
