"""Watch channels are opened ahead of time and replaced without a gap."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import ChannelState
from shared.domain import errors, messages, signing
from shared.domain.messages import Queue
from tests.unit.workers.machinery import NOW, Killed
from tests.unit.workers.world import World


def test_a_channel_is_open_before_the_calendar_is_listed(empty_world: World) -> None:
    empty_world.connect("ann")

    calls = empty_world.ann.calls
    assert calls == ["list_calendars", "watch", "list_events"]


def test_its_token_proves_that_a_notification_is_ours(world: World) -> None:
    (channel,) = world.channels()

    opened = world.ann.channels[channel.id]

    assert opened["token"] == signing.channel_token(b"k" * 32, channel.id)
    assert channel.resource_id == opened["resource_id"]


def test_what_an_old_key_signed_is_replaced_soon_when_that_is_wished(
    world: World,
) -> None:
    (former,) = world.channels()
    new = signing.channel_mark(b"n" * 32)
    kept = signing.channel_mark(b"k" * 32)
    world.poll()
    world.pass_time()
    now = world.clock.now()

    with world.store.begin() as work:
        wished = {m: work.channels.replace_soon(m, now=now) for m in (kept, new)}
        work.commit()
    world.periodic.round()
    world.settle()

    assert wished == {kept: 0, new: 2}
    (channel,) = world.channels()
    assert channel.id != former.id
    with world.store.read() as work:
        left = {m: work.channels.without_mark(m, now=now)[0] for m in (kept, new)}
    assert left == {kept: 0, new: 2}


def test_it_is_renewed_at_half_of_its_life_at_the_latest(world: World) -> None:
    (former,) = world.channels()
    assert former.renew_at is not None
    assert NOW + timedelta(days=2.8) <= former.renew_at <= NOW + timedelta(days=3.5)
    _wait_for_renewal(world)

    world.periodic.round()
    world.settle()

    (channel,) = world.channels()
    assert channel.id != former.id
    assert set(world.ann.channels) == {channel.id}


def _wait_for_renewal(world: World) -> None:
    world.poll()
    world.pass_time(timedelta(days=3.5))
    world.forget_calls()


def test_the_new_one_is_open_before_the_old_one_is_stopped(world: World) -> None:
    _wait_for_renewal(world)

    world.periodic.round()
    world.settle()

    calls = [call for call in world.ann.calls if "list" not in call]
    assert calls == ["watch", "stop_channel"]


def test_it_is_renewed_once_though_the_wish_is_queued_twice(world: World) -> None:
    due = messages.WatchDue(calendar_id=world.calendar().id)
    world.pass_time()
    world.queue(Queue.BACKFILL, due)
    world.queue(Queue.BACKFILL, due)
    world.pass_time()

    world.settle()

    assert world.ann.calls == ["watch", "stop_channel"]


def test_a_renewal_that_fails_is_made_later(world: World) -> None:
    world.be_down(on="watch")
    _wait_for_renewal(world)
    (former,) = world.channels()

    world.periodic.round()
    world.settle()
    meanwhile = world.channels()
    world.settle(patience=timedelta(seconds=20))

    assert [channel.id for channel in meanwhile] == [former.id]
    (channel,) = world.channels()
    assert channel.id != former.id


def test_a_renewal_that_was_lost_is_wished_for_again(world: World) -> None:
    _wait_for_renewal(world)
    (former,) = world.channels()
    world.periodic.round()
    world.broker.lose()

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    assert former.id not in world.ann.channels
    assert len(world.ann.channels) == 1


def test_an_old_channel_that_could_not_be_stopped_is_when_it_notifies(
    world: World,
) -> None:
    world.be_down(on="stop_channel")
    _wait_for_renewal(world)
    world.periodic.round()
    world.settle()
    both = len(world.ann.channels)

    world.calendar_changed()
    world.settle()

    assert both == 2
    assert set(world.ann.channels) == {channel.id for channel in world.channels()}


def test_a_crash_between_both_leaves_a_calendar_that_is_watched(world: World) -> None:
    world.ann.fail_next(Killed(), on="stop_channel")
    _wait_for_renewal(world)
    world.periodic.round()
    world.crash()

    world.settle()
    world.add_event()
    world.settle()

    assert world.only_task()["title"] == "Lunch"
    assert len(world.channels()) == 1


def test_a_calendar_that_cannot_be_watched_is_polled_only(empty_world: World) -> None:
    empty_world.ann.fail_next(errors.RemoteRejectedError(), on="watch")

    empty_world.connect("ann")
    empty_world.ann.create("fromgoogle", summary="Lunch")
    empty_world.poll()

    assert empty_world.channels() == []
    assert empty_world.calendar().watch_refused is True
    assert empty_world.only_task()["title"] == "Lunch"


def test_a_calendar_that_can_be_watched_after_all_is(empty_world: World) -> None:
    empty_world.ann.fail_next(errors.RemoteRejectedError(), on="watch")
    empty_world.connect("ann")

    empty_world.reconnect()

    assert len(empty_world.channels()) == 1
    assert empty_world.calendar().watch_refused is False


@pytest.mark.parametrize("frequency", ["15min", "hourly", "manual"])
def test_no_channel_is_opened_where_nothing_is_synced_in_real_time(
    empty_world: World, frequency: str
) -> None:
    empty_world.settings(frequency=frequency)

    empty_world.connect("ann")

    assert "watch" not in empty_world.ann.calls


def test_no_channel_is_opened_for_a_connection_that_is_not_active(
    world: World,
) -> None:
    world.change_connection(state="paused")
    world.pass_time()

    world.queue(Queue.BACKFILL, messages.WatchDue(calendar_id=world.calendar().id))
    world.settle()

    assert world.ann.calls == []
    assert world.channels() == []


def test_a_channel_that_another_worker_opens_is_not_opened_twice(
    world: World,
) -> None:
    world.pass_time()
    due = messages.WatchDue(calendar_id=world.calendar().id)

    def meanwhile() -> None:
        world.queue(Queue.BACKFILL, due)
        world.broker.run(world.dispatcher)

    world.ann.before_next("watch", meanwhile)
    world.queue(Queue.BACKFILL, due)
    world.settle()

    assert world.ann.calls == ["watch", "stop_channel"]


def test_a_sync_of_everything_keeps_a_channel_that_is_young(world: World) -> None:
    (former,) = world.channels()

    world.reconnect()

    assert [channel.id for channel in world.channels()] == [former.id]


def test_a_channel_is_known_before_google_is_asked(empty_world: World) -> None:
    known: list[str] = []

    def look() -> None:
        with empty_world.store.engine.connect() as connection:
            query = "SELECT state FROM channels"
            known.extend(connection.exec_driver_sql(query).scalars())

    empty_world.ann.before_next("watch", look)
    empty_world.connect("ann")

    assert known == [ChannelState.OPENING]
