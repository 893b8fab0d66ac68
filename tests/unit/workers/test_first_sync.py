"""The first sync of a connection brings both sides together inside the window."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store.states import Direction, JobState
from shared.domain import errors, messages, ports
from shared.domain.messages import Queue, Trigger
from tests.fakes import InMemoryCalendar
from tests.unit.workers.machinery import NOW, Killed
from tests.unit.workers.world import World

WRITES = {"insert_event", "patch_event", "delete_event", "watch"}


def _at(days: float) -> dict[str, Any]:
    start = NOW + timedelta(days=days)
    end = start + timedelta(hours=1)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": end.isoformat(), "timeZone": "UTC"},
    }


def test_what_is_there_on_both_sides_appears_on_the_other(empty_world: World) -> None:
    empty_world.add_task(title="From the CRM")
    empty_world.ann.create("fromgoogle", summary="From Google")

    empty_world.connect("ann")

    events = empty_world.ann.live_events()
    tasks = empty_world.crm_side.live_tasks()
    both = ["From Google", "From the CRM"]
    assert sorted(event["summary"] for event in events) == both
    assert sorted(task["title"] for task in tasks) == both


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.REPAIR])
def test_a_second_sync_finds_nothing_to_do(
    empty_world: World, trigger: Trigger
) -> None:
    empty_world.add_task()
    empty_world.ann.create("fromgoogle", summary="From Google")
    connection_id = empty_world.connect("ann")
    empty_world.forget_calls()

    empty_world.sync_all(connection_id, trigger)

    assert not WRITES & set(empty_world.ann.calls)
    assert not {"create_task", "update_task"} & set(empty_world.crm_side.calls)
    assert empty_world.jobs()[-1].processed == 0


@pytest.mark.parametrize(
    ("days", "is_inside"),
    [(-31, False), (-29, True), (0, True), (89, True), (91, False)],
)
def test_only_the_window_is_synced(
    empty_world: World, days: float, *, is_inside: bool
) -> None:
    due_at = (NOW + timedelta(days=days, minutes=1)).isoformat()
    empty_world.add_task(due_at=due_at)
    empty_world.broker.lose()
    empty_world.ann.create("fromgoogle", summary="Lunch", **_at(days))

    empty_world.connect("ann")

    both = 2 if is_inside else 1
    assert len(empty_world.ann.live_events()) == both
    assert len(empty_world.crm_side.live_tasks()) == both


def test_the_window_is_the_settings(empty_world: World) -> None:
    empty_world.settings(window_past_days=1, window_future_days=200)
    empty_world.ann.create("past", summary="Past", **_at(-2))
    empty_world.ann.create("future", summary="Future", **_at(150))

    empty_world.connect("ann")

    assert empty_world.only_task()["title"] == "Future"


def test_an_all_day_event_at_the_edge_of_the_window_is_synced(
    empty_world: World,
) -> None:
    empty_world.settings(include_all_day=True)
    empty_world.ann.create(
        "edge", summary="Edge", start={"date": "2026-05-31"}, end={"date": "2026-06-02"}
    )

    empty_world.connect("ann")

    assert empty_world.only_task()["due_date"] == "2026-05-31"


def test_a_record_outside_the_window_is_synced_when_it_changes(world: World) -> None:
    world.add_task(due_at="2027-01-01T10:00:00Z")
    world.add_event(**_at(400))

    world.settle()

    assert len(world.ann.live_events()) == 2
    assert len(world.crm_side.live_tasks()) == 2


def test_tasks_of_others_are_left_to_their_own_syncs(empty_world: World) -> None:
    empty_world.add_task(owner_id="ben")

    empty_world.connect("ann")

    assert empty_world.ann.live_events() == []


def test_the_primary_calendar_is_synced_unless_another_one_was_chosen(
    empty_world: World,
) -> None:
    empty_world.ann.add_calendar("team@group.calendar.google.com")

    empty_world.connect("ann")

    calendar = empty_world.calendar()
    assert calendar.google_calendar_id == "ann@gmail.com"
    with empty_world.store.read() as work:
        stored = work.calendars.of_account(empty_world.connection().id, "sub-ann")
    assert len(stored) == 2


@pytest.mark.parametrize(
    "answer", [errors.MissingScopesError(), None], ids=["withheld", "empty"]
)
def test_the_main_calendar_is_there_though_the_list_is_not(
    empty_world: World,
    answer: Exception | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty_world.ann.create("fromgoogle", summary="From Google")
    monkeypatch.setattr(empty_world.ann, "list_calendars", _answering(answer))

    empty_world.connect("ann")

    assert empty_world.only_task()["title"] == "From Google"


def _answering(answer: Exception | None) -> Any:  # noqa: ANN401 - any port's method
    def list_calendars() -> list[ports.CalendarEntry]:
        if answer is not None:
            raise answer
        return []

    return list_calendars


def test_interactive_work_does_not_wait_behind_it(empty_world: World) -> None:
    empty_world.add_task()
    empty_world.ann.create("fromgoogle", summary="From Google")
    empty_world.broker.lose()
    connection_id = empty_world.store_connection("ann")

    due = messages.ConnectionDue(connection_id=connection_id)
    empty_world.queue(Queue.BACKFILL, due, Trigger.BACKFILL)
    empty_world.settle()

    assert {message.queue for message in empty_world.broker.handled} == {Queue.BACKFILL}


def test_it_goes_on_after_a_failure_in_the_middle(empty_world: World) -> None:
    empty_world.accounts["ann"] = InMemoryCalendar(
        empty_world.clock, address="ann@gmail.com", page_size=1
    )
    for number in range(3):
        empty_world.ann.create(f"event{number}", summary=f"Event {number}")
    empty_world.ann.after_next("list_events", empty_world.be_down)

    empty_world.connect("ann")
    first = len(empty_world.crm_side.live_tasks())
    empty_world.settle(patience=timedelta(seconds=20))

    # The oldest come first, and which those are only the whole list tells.
    assert first == 0
    assert len(empty_world.crm_side.live_tasks()) == 3
    assert empty_world.calendar().sync_token is not None


def test_it_goes_on_after_a_crash_in_the_middle(empty_world: World) -> None:
    empty_world.add_task()
    empty_world.broker.lose()
    empty_world.ann.create("fromgoogle", summary="From Google")
    empty_world.crm_side.fail_next(Killed(), on="list_tasks")
    connection_id = empty_world.store_connection("ann")
    due = messages.ConnectionDue(connection_id=connection_id)
    empty_world.queue(Queue.BACKFILL, due, Trigger.BACKFILL)
    empty_world.crash()

    empty_world.settle()

    assert len(empty_world.crm_side.live_tasks()) == 2
    assert len(empty_world.ann.live_events()) == 2


def test_its_job_ends_with_the_last_record(empty_world: World) -> None:
    empty_world.add_task()
    empty_world.broker.lose()
    empty_world.ann.create("fromgoogle", summary="From Google")

    empty_world.connect("ann")

    (job,) = empty_world.jobs()
    assert (job.trigger, job.direction) == ("backfill", "both")
    assert (job.state, job.expected, job.processed) == (JobState.SUCCEEDED, 2, 2)


def _sync_now(world: World) -> int:
    """Ask for a sync as the API does; return its job."""
    connection_id = world.connection().id
    with world.store.begin() as work:
        job = work.jobs.start(
            organization_id=world.organization.id,
            connection_id=connection_id,
            trigger=Trigger.MANUAL,
            direction=Direction.BOTH,
            now=NOW,
        )
        work.commit()
    world.broker.publish(
        messages.Message(
            id="sync-now",
            queue=Queue.BACKFILL,
            subject=messages.ConnectionDue(connection_id=connection_id),
            trigger=Trigger.MANUAL,
            queued_at=NOW,
            job_id=job.id,
        )
    )
    return job.id


def test_the_job_that_asked_for_it_is_the_one_that_ends(world: World) -> None:
    world.ann.create("fromgoogle", summary="Lunch")

    job_id = _sync_now(world)
    world.settle()

    job = world.jobs()[-1]
    assert (job.id, job.state, job.processed) == (job_id, JobState.SUCCEEDED, 1)


def test_the_job_that_asked_for_it_fails_with_it_and_is_corrected(
    world: World,
) -> None:
    world.be_down(on="list_calendars")

    job_id = _sync_now(world)
    world.settle()
    failed = world.jobs()[-1]
    world.settle(patience=timedelta(seconds=20))

    assert (failed.id, failed.state, failed.errors) == (job_id, JobState.FAILED, 1)
    job = world.jobs()[-1]
    assert (job.id, job.state, job.errors) == (job_id, JobState.SUCCEEDED, 0)


def test_the_job_that_asked_for_it_goes_on_while_its_calendar_is_busy(
    world: World,
) -> None:
    with world.store.try_lock(f"calendar:{world.calendar().id}"):
        job_id = _sync_now(world)
        world.broker.run(world.dispatcher)
        waiting = world.jobs()[-1]
    world.settle()

    assert (waiting.id, waiting.state) == (job_id, JobState.RUNNING)
    assert world.jobs()[-1].state == JobState.SUCCEEDED


def test_a_job_whose_list_is_repeated_ends_with_the_last_record_all_the_same(
    world: World,
) -> None:
    for number in range(2):
        world.ann.create(f"event{number}", summary=f"Event {number}")
    _sync_now(world)
    for _ in ("the list", "one of its records"):
        world.broker.hand_over_of({Queue.BACKFILL}, world.dispatcher)
    listing = next(m for m in world.broker.handled if m.id == "sync-now")

    world.dispatcher(listing)

    job = world.jobs()[-1]
    assert (job.state, job.expected, job.processed) == (JobState.RUNNING, 2, 1)
    world.settle()
    job = world.jobs()[-1]
    assert (job.state, job.expected, job.processed) == (JobState.SUCCEEDED, 2, 2)


def test_a_calendar_that_is_being_listed_is_listed_again_later(world: World) -> None:
    connection_id = world.connection().id
    due = messages.ConnectionDue(connection_id=connection_id)

    def meanwhile() -> None:
        world.queue(Queue.BACKFILL, due, Trigger.REPAIR)
        world.broker.run(world.dispatcher)

    jobs = len(world.jobs())
    world.ann.before_next("list_events", meanwhile)
    world.queue(Queue.BACKFILL, due, Trigger.MANUAL)
    world.settle()

    assert world.ann.calls.count("list_events") == 2
    assert len(world.jobs()) == jobs + 2
    assert world.broker.waiting() == []


def test_what_is_notified_while_it_lists_is_pulled_afterwards(world: World) -> None:
    def meanwhile() -> None:
        world.add_event()
        world.broker.run(world.dispatcher)

    world.ann.after_next("list_events", meanwhile)
    world.sync_all(world.connection().id, Trigger.MANUAL)

    assert world.only_task()["title"] == "Lunch"


# -- what no list shows -----------------------------------------------------------


def test_a_record_that_no_list_shows_is_read_before_anything_is_cancelled(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    moved = {"due_at": "2026-12-01T10:00:00Z", "duration_minutes": 30}
    world.crm_side.edit(task["id"], **moved)
    world.forget_calls()

    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert "get_task" in world.crm_side.calls
    assert world.only_event()["start"]["dateTime"].startswith("2026-12-01")
    assert world.only_task()["status"] == "open"


def test_an_event_that_google_forgot_cancels_its_task(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])

    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.crm_side.task(task["id"])["status"] == "cancelled"


def test_a_cancelled_task_whose_event_google_forgot_stays_cancelled(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])
    world.sync_all(world.connection().id, Trigger.REPAIR)

    world.sync_all(world.connection().id, Trigger.REPAIR)
    world.task_changed(world.crm_side.task(task["id"]))
    world.settle()

    assert world.crm_side.task(task["id"])["status"] == "cancelled"
    assert world.ann.live_events() == []


def test_a_task_that_was_deleted_unseen_cancels_its_event(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.crm_side.remove(task["id"])

    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.ann.live_events() == []


def test_what_is_outside_the_window_is_left_in_peace(world: World) -> None:
    task = world.add_task(due_at="2027-01-01T10:00:00Z")
    world.settle()
    world.ann.purge(world.only_event()["id"])

    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.crm_side.task(task["id"])["status"] == "open"


def test_a_reservation_is_looked_at_too(world: World) -> None:
    world.ann.fail_next(Killed(), on="insert_event")
    world.add_task()
    world.crash()
    world.broker.lose()

    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.only_event()["summary"] == "Plan"


def test_users_are_read_at_most_once_a_minute(world: World) -> None:
    connection_id = world.connection().id
    world.pass_time(timedelta(minutes=2))

    world.sync_all(connection_id, Trigger.MANUAL)
    world.sync_all(connection_id, Trigger.MANUAL)

    assert world.crm_side.calls.count("list_users") == 1


def test_an_event_that_cannot_be_read_holds_up_nobody(empty_world: World) -> None:
    empty_world.ann.create("good", summary="Good")
    empty_world.ann.create("bad", summary="Bad", status="unheard-of")

    empty_world.connect("ann")

    assert empty_world.only_task()["title"] == "Good"
    assert [letter.event_id for letter in empty_world.dead_letters()] == ["bad"]
    assert empty_world.calendar().sync_token is not None
