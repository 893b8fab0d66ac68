"""Where changes wait for a run, one job per connection brings both sides in step."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import JobState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from shared.domain.settings import ConflictPolicy
from tests.unit.workers.world import World

HOUR = timedelta(hours=1)


@pytest.fixture
def hourly(world: World) -> World:
    """Return a world in which runs are hourly, and one was just made."""
    world.settings(frequency="hourly")
    _run(world)
    world.forget_calls()
    return world


def _run(world: World, pick: Callable[[int], int] = int) -> None:
    world.pass_time(HOUR)
    world.periodic.round()
    world.settle(pick=pick)


def _last_jobs(world: World, count: int) -> list[tables.Job]:
    return world.jobs()[-count:]


def test_a_run_is_one_job_of_each_connection_in_both_directions(
    hourly: World,
) -> None:
    hourly.add_task()
    hourly.add_event()
    hourly.settle()

    _run(hourly)

    jobs = {job.connection_id: job for job in _last_jobs(hourly, 2)}
    mine = jobs[hourly.connection("ann").id]
    assert (mine.trigger, mine.direction) == (Trigger.SCHEDULE, "both")
    assert (mine.state, mine.processed) == (JobState.SUCCEEDED, 2)
    assert jobs[hourly.connection("ben").id].processed == 0


def test_a_run_asks_for_changes_only(hourly: World) -> None:
    _run(hourly)

    assert hourly.ann.calls == ["list_events"]
    assert hourly.crm_side.calls.count("list_tasks") == 2


def test_webhooks_and_notifications_change_nothing_until_then(hourly: World) -> None:
    task = hourly.add_task()
    hourly.settle()

    assert hourly.ann.live_events() == []
    hourly.edit_task(task["id"], title="Later")
    hourly.settle()
    _run(hourly)

    assert hourly.only_event()["summary"] == "Later"


def test_what_the_crm_never_told_is_found_by_the_run(hourly: World) -> None:
    hourly.crm_side.add(title="Unheard", owner_id="ann", due_at="2026-03-03T10:00:00Z")
    hourly.ann.create("unseen", summary="Unseen")

    _run(hourly)

    assert {event["summary"] for event in hourly.ann.live_events()} == {
        "Unheard",
        "Unseen",
    }
    assert len(hourly.crm_side.live_tasks()) == 2


def test_a_deletion_on_either_side_is_found_by_the_run(hourly: World) -> None:
    hourly.add_task(title="Mine")
    hourly.add_event(summary="Theirs")
    _run(hourly)
    mine, theirs = sorted(
        hourly.crm_side.live_tasks(), key=lambda task: str(task["title"])
    )
    hourly.pass_time()
    hourly.crm_side.remove(mine["id"])
    hourly.ann.remove("fromgoogle")

    _run(hourly)

    assert hourly.ann.live_events() == []
    assert hourly.crm_side.task(theirs["id"])["status"] == "cancelled"


@pytest.mark.parametrize("pick", [int, lambda count: count - 1])
@pytest.mark.parametrize(
    ("policy", "title"),
    [
        (ConflictPolicy.CRM_WINS, "CRM"),
        (ConflictPolicy.GOOGLE_WINS, "Google"),
        (ConflictPolicy.LAST_MODIFIED_WINS, "Google"),
        (ConflictPolicy.MANUAL, None),
    ],
)
def test_edits_of_both_sides_between_two_runs_are_a_conflict(
    hourly: World,
    policy: ConflictPolicy,
    title: str | None,
    pick: Callable[[int], int],
) -> None:
    hourly.settings(conflict_policy=policy)
    task = hourly.add_task()
    _run(hourly)
    hourly.edit_task(task["id"], title="CRM")
    hourly.edit_event(hourly.only_event()["id"], summary="Google")
    hourly.settle()

    _run(hourly, pick)

    found = hourly.crm_side.task(task["id"])["title"], hourly.only_event()["summary"]
    assert found == ((title, title) if title else ("CRM", "Google"))
    assert len(hourly.conflicts()) == (title is None)


def test_a_task_that_gets_another_owner_is_found_by_the_run_of_the_former(
    hourly: World,
) -> None:
    task = hourly.add_task()
    _run(hourly)
    hourly.pass_time()
    hourly.crm_side.edit(task["id"], owner_id="cleo")

    _run(hourly)

    assert hourly.ann.live_events() == []


def test_a_run_after_the_token_expired_lists_in_full_and_cancels_nothing(
    hourly: World,
) -> None:
    hourly.add_task()
    _run(hourly)
    hourly.ann.expire_sync_tokens()
    hourly.edit_event(hourly.only_event()["id"], summary="Moved")

    _run(hourly)

    assert hourly.only_task()["title"] == "Moved"
    assert hourly.only_task()["status"] == "open"


def test_a_run_that_breaks_off_cancels_nothing_and_is_made_again(
    hourly: World,
) -> None:
    hourly.add_task()
    _run(hourly)
    hourly.crm_side.edit(hourly.only_task()["id"], title="Later")
    hourly.crm_side.fail_next(errors.RemoteUnavailableError(), on="list_tasks")

    hourly.pass_time(HOUR)
    hourly.periodic.round()
    hourly.settle(patience=timedelta(minutes=1))

    assert hourly.only_event()["summary"] == "Later"


def test_no_guest_is_mailed_by_a_run(hourly: World) -> None:
    hourly.settings(guest_notifications="all")
    hourly.add_task(attendees=[{"email": "guest@x.example"}])
    hourly.settle()

    _run(hourly)

    assert set(hourly.ann.sent_updates) == {"none"}


def test_a_calendar_loses_its_channel_where_changes_wait(world: World) -> None:
    world.settings(frequency="15min")
    calendar_id = world.calendar().id

    due = messages.WatchDue(calendar_id=calendar_id)
    world.pass_time()
    world.queue(Queue.RECORDS, due, Trigger.SCHEDULE)
    world.settle()

    assert world.channels() == []
    assert world.ann.channels == {}


def test_a_calendar_has_a_channel_again_when_they_are_followed(hourly: World) -> None:
    hourly.settings(frequency="realtime")
    hourly.sync_all(hourly.connection().id, Trigger.REPAIR)

    assert len(hourly.channels()) == 1


def test_what_waited_is_found_when_changes_are_followed_again(hourly: World) -> None:
    hourly.add_task()
    hourly.settle()
    hourly.settings(frequency="realtime")

    hourly.sync_all(hourly.connection().id, Trigger.REPAIR)

    assert hourly.only_event()["summary"] == "Plan"


@pytest.mark.parametrize("frequency", ["realtime", "15min", "hourly", "manual"])
def test_a_sync_by_hand_works_in_every_mode(world: World, frequency: str) -> None:
    world.settings(frequency=frequency)
    world.crm_side.add(title="Unheard", owner_id="ann", due_at="2026-03-03T10:00:00Z")
    world.ann.create("unseen", summary="Unseen")

    world.sync_all(world.connection().id, Trigger.MANUAL)

    assert len(world.ann.live_events()) == len(world.crm_side.live_tasks()) == 2


def test_a_sync_by_hand_finds_what_changed_outside_the_window(world: World) -> None:
    world.settings(frequency="manual")
    world.sync_all(world.connection().id, Trigger.MANUAL)
    world.pass_time()
    world.add_task(due_at="2027-03-03T10:00:00Z")
    world.settle()

    world.sync_all(world.connection().id, Trigger.MANUAL)

    assert world.only_event()["summary"] == "Plan"


def test_two_syncs_of_a_connection_do_not_list_at_once(world: World) -> None:
    connection_id = world.connection().id
    due = messages.ConnectionDue(connection_id=connection_id)
    for _ in range(2):
        world.queue(Queue.RECORDS, due, Trigger.MANUAL)
    world.forget_calls()
    world.ann.before_next(
        "list_events", lambda: world.broker.hand_over(world.dispatcher, int)
    )

    world.settle()

    assert world.ann.calls.count("list_events") == 2
    assert world.broker.waiting() == []
