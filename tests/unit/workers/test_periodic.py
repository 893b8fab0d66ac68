"""Timers queue what is due; several processes queue it once."""

import threading
from datetime import timedelta

import pytest

from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World
from workers.periodic import Periodic

POLLS = (messages.OrganizationDue, messages.CalendarDue, messages.ConnectionDue)


def _polls(world: World) -> list[messages.Subject]:
    world.periodic.round()
    lost = world.broker.lose()
    return [m.subject for m in lost if isinstance(m.subject, POLLS)]


def test_both_sides_are_polled_though_everything_is_pushed(world: World) -> None:
    polled = _polls(world)

    calendars = {world.calendar("ann").id, world.calendar("ben").id}
    assert polled[0] == messages.OrganizationDue(organization_id=world.organization.id)
    assert {s.calendar_id for s in polled if isinstance(s, messages.CalendarDue)} == (
        calendars
    )


def test_they_are_polled_again_after_the_configured_time(world: World) -> None:
    _polls(world)

    world.pass_time(timedelta(seconds=899))
    early = _polls(world)
    world.pass_time(timedelta(seconds=1))
    due = _polls(world)

    assert early == []
    assert len(due) == 3


@pytest.mark.parametrize(
    ("frequency", "seconds"), [("15min", 15 * 60), ("hourly", 60 * 60)]
)
def test_another_frequency_is_the_interval_of_runs_of_each_connection(
    world: World, frequency: str, seconds: int
) -> None:
    world.settings(frequency=frequency)
    _polls(world)

    world.pass_time(timedelta(seconds=seconds - 1))
    early = _polls(world)
    world.pass_time(timedelta(seconds=1))
    due = _polls(world)

    assert early == []
    runs = {world.connection("ann").id, world.connection("ben").id}
    assert {
        s.connection_id for s in due if isinstance(s, messages.ConnectionDue)
    } == runs
    assert len(due) == len(runs)


def test_nothing_is_polled_where_somebody_asks_for_it(world: World) -> None:
    world.settings(frequency="manual")

    world.pass_time(timedelta(days=2))

    assert _polls(world) == []


def test_what_waited_for_the_run_is_synced_by_it(world: World) -> None:
    world.settings(frequency="hourly")
    _polls(world)
    world.add_task()
    world.add_event()
    world.settle()
    before = len(world.ann.live_events()), len(world.crm_side.live_tasks())

    world.pass_time(timedelta(hours=1))
    world.periodic.round()
    world.settle()

    assert before == (1, 1)
    assert len(world.ann.live_events()) == len(world.crm_side.live_tasks()) == 2


def test_a_connection_that_is_not_active_is_not_polled(world: World) -> None:
    world.change_connection("ann", state="paused")

    polled = _polls(world)

    assert messages.CalendarDue(calendar_id=world.calendar("ann").id) not in polled
    assert messages.CalendarDue(calendar_id=world.calendar("ben").id) in polled


def test_two_processes_queue_everything_once(world: World) -> None:
    world.ann.fail_next(Killed(), on="insert_event")
    world.add_task()
    world.crash()
    world.broker.lose()
    world.store_connection("cleo")
    world.pass_time(timedelta(days=4))

    for process in (Periodic(world.services), Periodic(world.services)):
        process.round()

    subjects = [message.subject for message in world.broker.waiting()]
    assert len(subjects) == len({repr(subject) for subject in subjects})
    kinds = {type(subject) for subject in subjects}
    assert kinds == {
        messages.OrganizationDue,
        messages.CalendarDue,
        messages.WatchDue,
        messages.WindowDue,
        messages.TaskDue,
        messages.ConnectionDue,
    }


def test_a_reservation_is_left_in_peace_for_a_while(world: World) -> None:
    world.ann.fail_next(Killed(), on="insert_event")
    world.add_task()
    world.crash()
    world.broker.lose()
    _polls(world)

    world.pass_time(timedelta(minutes=1))
    world.periodic.round()

    assert world.broker.waiting() == []


def test_a_reservation_of_a_task_is_swept_up_by_its_event(world: World) -> None:
    world.crm_side.fail_next(Killed(), on="create_task")
    world.add_event()
    world.crash()
    world.broker.lose()
    _polls(world)

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    (message,) = world.broker.waiting()
    world.settle()

    assert message.trigger is Trigger.REPAIR
    assert isinstance(message.subject, messages.EventDue)
    assert world.only_task()["title"] == "Lunch"


def test_a_reservation_that_was_begun_anew_is_swept_up_anew(world: World) -> None:
    task = world.add_task()
    world.settle()
    _polls(world)
    world.ann.fail_next(Killed(), on="insert_event")
    world.pass_time(timedelta(minutes=1))
    world.ann.purge(world.only_event()["id"])
    world.edit_task(task["id"], title="Plan B")
    world.crash()
    world.broker.lose()

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    assert world.only_event()["summary"] == "Plan B"


def test_a_connection_whose_first_sync_never_came_is_synced(world: World) -> None:
    _polls(world)
    world.store_connection("cleo")
    world.accounts["cleo"].create("fromgoogle", summary="Lunch")

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    assert world.only_task()["owner_id"] == "cleo"
    assert world.jobs()[-1].trigger == "backfill"


def test_a_connection_that_was_made_just_now_is_left_in_peace(world: World) -> None:
    _polls(world)
    world.store_connection("cleo")

    world.pass_time(timedelta(minutes=1))
    world.periodic.round()

    assert world.broker.waiting() == []


def test_first_syncs_that_come_to_nothing_are_not_wished_for_all_the_time(
    world: World,
) -> None:
    _polls(world)
    world.store_connection("cleo")
    world.pass_time(timedelta(minutes=3))

    for _ in range(3):
        world.periodic.round()

    assert [message.queue for message in world.broker.waiting()] == [Queue.BACKFILL]


def test_a_first_sync_that_failed_is_left_to_its_own_attempts(world: World) -> None:
    _polls(world)
    world.accounts["cleo"].fail_next(*[errors.RemoteRejectedError()] * 9)
    world.store_connection("cleo")
    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    for _ in range(3):
        world.pass_time(timedelta(minutes=3))
        world.periodic.round()
        world.settle()

    assert len(world.dead_letters()) == 1


def test_a_first_sync_that_failed_for_good_is_begun_anew_after_hours(
    world: World,
) -> None:
    world.accounts["cleo"].fail_next(errors.RemoteRejectedError())
    world.accounts["cleo"].create("fromgoogle", summary="Lunch")
    world.store_connection("cleo")
    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    world.pass_time(timedelta(hours=2))
    world.periodic.round()
    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_rounds_go_on_until_they_are_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = _Rounds(world, 3)
    monkeypatch.setattr(world.broker, "is_away", True)

    world.periodic.run(stop)

    assert stop.waits == 3
    world.pass_time(timedelta(hours=1))
    monkeypatch.setattr(world.broker, "is_away", False)
    assert len(_polls(world)) == 3


def test_an_outage_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(world.broker, "is_away", True)

    world.periodic.run(_Rounds(world, 3))

    assert caplog.text.count("Could not finish a round") == 1


def test_a_mistake_of_our_own_does_not_end_them(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def publish(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(world.broker, "publish", publish)
    stop = _Rounds(world, 2)

    world.periodic.run(stop)

    assert stop.waits == 2
    assert "A round broke off" in caplog.text


class _Rounds(threading.Event):
    """Is set after a number of rounds, between which time passes."""

    def __init__(self, world: World, count: int) -> None:
        super().__init__()
        self.waits = 0
        self._world = world
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        """Count, and be set in the end."""
        assert timeout == 1.0
        self.waits += 1
        self._world.pass_time(timedelta(hours=1))
        if self.waits == self._count:
            self.set()
        return self.is_set()
