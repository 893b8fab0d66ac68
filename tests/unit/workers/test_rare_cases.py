"""What goes wrong seldom: between two commits, within a list, months later."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConflictState, ConnectionState, Direction
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from shared.domain.reconcile import Hold
from tests import fakes
from tests.unit.workers.machinery import Database, Killed, Outside
from tests.unit.workers.series import add_series, statuses, tasks
from tests.unit.workers.test_calendar_choice import TEAM, choose, with_another_calendar
from tests.unit.workers.world import World

HOUR = timedelta(hours=1)


def _run(world: World, patience: timedelta = timedelta(seconds=5)) -> None:
    world.pass_time(HOUR)
    world.periodic.round()
    world.settle(patience=patience)


# -- batches ----------------------------------------------------------------------


def test_a_deletion_that_a_run_found_survives_the_death_of_its_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings(frequency="hourly")
    world.add_event(summary="Theirs")
    _run(world)
    world.pass_time()
    world.ann.remove("fromgoogle")
    world.pass_time(HOUR)
    world.periodic.round()

    with monkeypatch.context() as patch:
        patch.setattr(world.broker, "publish", _die)
        world.crash()
    for _ in range(3):
        _run(world)

    assert world.only_task()["status"] == "cancelled"


def _die(*_: object, **__: object) -> None:
    raise Killed


def test_a_run_by_hand_finds_what_changed_while_a_long_one_was_on_its_way(
    world: World,
) -> None:
    world.settings(frequency="manual")
    task = world.add_task(due_at="2027-03-03T10:00:00Z")
    world.sync_all(world.connection().id, Trigger.MANUAL)
    world.sync_all(world.connection().id, Trigger.MANUAL)
    before = len(world.ann.live_events())
    # The list of a big calendar takes minutes, because of the quota.
    world.crm_side.after_next("list_tasks", lambda: None)
    world.crm_side.after_next("list_tasks", lambda: _edit_and_wait(world, task["id"]))

    world.sync_all(world.connection().id, Trigger.MANUAL)
    world.pass_time(HOUR)
    world.sync_all(world.connection().id, Trigger.MANUAL)

    assert before == 1
    assert world.only_event()["summary"] == "Edited"


def _edit_and_wait(world: World, task_id: str) -> None:
    world.pass_time()
    world.crm_side.edit(task_id, title="Edited")
    world.pass_time(timedelta(minutes=2))


# -- held deletions ---------------------------------------------------------------


def _decide(world: World, decision: Hold) -> None:
    with world.store.begin() as work:
        (row,) = work.held_deletions.page(world.organization.id, limit=10).rows
        row.state, row.decided_at = decision, world.clock.now()
        work.commit()


def _rounds(world: World, count: int) -> int:
    """Let some rounds of the timer go by; return how many lines they add."""
    before = len(world.items())
    for _ in range(count):
        world.pass_time(timedelta(minutes=3))
        world.periodic.round()
        world.settle()
    return len(world.items()) - before


def _remove_tasks_at_once(world: World) -> None:
    world.pass_time()
    for task in world.crm_side.live_tasks():
        world.crm_side.remove(task["id"])
    world.poll()


def _remove_events_at_once(world: World) -> None:
    for number in range(3):
        world.add_event(f"event{number}")
    world.settle()
    world.pass_time()
    for event in world.ann.live_events():
        world.ann.remove(event["id"])
    world.calendar_changed()
    world.settle()


def test_approved_deletions_of_read_only_events_come_to_an_end(world: World) -> None:
    world.settings(mass_deletion_limit=1)
    for number in range(3):
        world.add_event(f"event{number}", locked=True)
    world.settle()
    _remove_tasks_at_once(world)
    _decide(world, Hold.APPROVED)
    _rounds(world, 1)

    assert _rounds(world, 5) == 0


def test_approved_deletions_that_became_conflicts_come_to_an_end(world: World) -> None:
    world.settings(mass_deletion_limit=1, conflict_policy="manual")
    for number in range(3):
        world.add_task(title=f"Task {number}")
    world.settle()
    _remove_tasks_at_once(world)
    for event in world.ann.live_events():
        world.edit_event(event["id"], summary="Edited")
    world.settle()
    _decide(world, Hold.APPROVED)
    _rounds(world, 1)

    assert _rounds(world, 5) == 0


def test_approved_deletions_of_a_user_who_has_left_come_to_an_end(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    for number in range(3):
        world.add_task(title=f"Task {number}")
    world.settle()
    _remove_tasks_at_once(world)
    world.change_connection("ann", state=ConnectionState.DISCONNECTED)
    _decide(world, Hold.APPROVED)
    _rounds(world, 1)

    assert _rounds(world, 5) == 0


def test_approved_deletions_of_what_has_left_the_scope_come_to_an_end(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    _remove_events_at_once(world)
    for task in world.crm_side.live_tasks():
        world.edit_task(task["id"], type="Call")
    world.settle()
    _decide(world, Hold.APPROVED)
    _rounds(world, 1)

    assert _rounds(world, 5) == 0


def test_a_rejection_says_nothing_about_what_is_deleted_much_later(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    _remove_events_at_once(world)
    _decide(world, Hold.REJECTED)
    _rounds(world, 2)
    task = world.crm_side.live_tasks()[0]
    world.edit_task(task["id"], status="cancelled")
    world.settle()

    assert world.crm_side.task(task["id"])["status"] == "cancelled"


# -- conflicts --------------------------------------------------------------------


def _conflict_in_series(world: World) -> str:
    world.settings(conflict_policy="manual")
    add_series(world)
    first = tasks(world)[0]
    world.edit_task(first["id"], title="CRM")
    world.ann.edit(first["google_event_id"], summary="Google")
    world.calendar_changed()
    world.settle(pick=lambda count: count - 1)
    return str(first["id"])


def _choose(world: World, task_id: str, **choice: str) -> None:
    with world.store.begin() as work:
        conflict = work.conflicts.by_id(world.conflicts()[0].id)
        conflict.choice = choice
        work.commit()
    due = messages.TaskDue(organization_id=world.organization.id, task_id=task_id)
    world.queue(Queue.RECORDS, due, Trigger.MANUAL)
    world.settle()


def test_a_choice_is_carried_out_though_its_occurrence_has_left_the_window(
    simulated: World,
) -> None:
    task_id = _conflict_in_series(simulated)
    (conflict,) = simulated.conflicts()
    for _ in range(32):
        simulated.pass_time(timedelta(days=1))
        simulated.periodic.round()
        simulated.settle()

    _choose(simulated, task_id, title="google")

    assert conflict.fields == ["title"]
    assert simulated.crm_side.task(task_id)["title"] == "Google"
    assert simulated.conflicts()[0].state == ConflictState.RESOLVED


def test_a_conflict_ends_when_its_user_leaves_and_has_the_events_removed(
    world: World,
) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], title="CRM")
    world.edit_event(world.only_event()["id"], summary="Google")
    world.pass_time()
    world.settle(pick=lambda count: count - 1)
    assert len(world.conflicts()) == 1

    paused = {"state": ConnectionState.PAUSED, "probed_at": world.clock.now()}
    world.change_connection("ann", **paused)
    due = messages.RemovalDue(connection_id=world.connection().id)
    world.queue(Queue.BACKFILL, due, Trigger.MANUAL)
    world.settle()

    assert world.ann.live_events() == []
    assert world.conflicts()[0].state == ConflictState.RESOLVED


# -- people who leave -------------------------------------------------------------


def test_who_connects_again_while_events_are_removed_keeps_the_others(
    world: World,
) -> None:
    for number in range(3):
        world.add_task(title=f"Task {number}")
    world.settle()
    paused = {"state": ConnectionState.PAUSED, "probed_at": world.clock.now()}
    world.change_connection("ann", **paused)
    due = messages.RemovalDue(connection_id=world.connection().id)
    world.queue(Queue.BACKFILL, due, Trigger.MANUAL)
    # Another worker has the sync that follows a connect meanwhile.
    world.ann.after_next("delete_event", world.reconnect)

    world.settle()

    assert world.connection().state == ConnectionState.ACTIVE
    assert len(world.ann.live_events()) == 3


# -- refusals ---------------------------------------------------------------------


def test_a_refusal_of_an_access_that_was_renewed_meanwhile_parks_nobody(
    world: World,
) -> None:
    now = world.clock.now()

    def reconnect() -> None:
        world.change_connection(
            consented_at=now + timedelta(minutes=1),
            connected_at=now + timedelta(minutes=1),
            refresh_token="new",  # noqa: S106 - made up
        )
        world.ann.fail_next(errors.GrantRevokedError(), on="list_events")

    due = messages.CalendarDue(calendar_id=world.calendar().id)
    world.queue(Queue.GOOGLE_CHANGES, due)
    world.pass_time()
    # The worker has the old token in hand by now.
    original = world.google

    def google(connection: tables.Connection) -> fakes.InMemoryCalendar:
        reconnect()
        return original(connection)

    world.google = google  # type: ignore[method-assign]
    world.settle()

    assert world.connection().state == ConnectionState.ACTIVE


# -- series -----------------------------------------------------------------------


def test_what_is_to_come_in_a_deleted_series_of_whole_days_is_cancelled_west_of_utc(
    database: Database,
) -> None:
    outside = Outside.simulated(time_zone="America/Los_Angeles")
    world = World(database.begin_anew(), outside)
    world.connect("ann")
    world.settings(include_all_day=True)
    days: dict[str, Any] = {
        "start": {"date": "2026-03-03"},
        "end": {"date": "2026-03-04"},
    }
    daily: dict[str, Any] = {
        "summary": "Shift",
        "recurrence": ["RRULE:FREQ=DAILY;COUNT=4"],
    }
    world.add_event("shift", **daily, **days)
    world.settle()
    # In California it is five in the afternoon of the 3rd.
    world.clock.moment = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)

    world.remove_event("shift")
    world.settle()

    found = {t["due_date"]: t["status"] for t in tasks(world)}
    assert found["2026-03-04"] == "cancelled"


# -- handing over -----------------------------------------------------------------


def test_who_has_connected_again_hands_nothing_over(simulated: World) -> None:
    simulated.connect("ben")
    guests = [{"email": "ben@gmail.com"}]
    simulated.add_event("shared", summary="Review", attendees=guests)
    simulated.settle()
    simulated.calendar_changed("ben")
    simulated.settle()
    due = messages.HandoverDue(connection_id=simulated.connection().id)
    simulated.reconnect()

    # It was asked for before, and had to wait for a record that was busy.
    simulated.queue(Queue.RECORDS, due, Trigger.REPAIR)
    simulated.settle()
    task = simulated.only_task()
    simulated.edit_task(task["id"], title="Retrospective")
    simulated.settle()

    assert simulated.ann.event("shared")["summary"] == "Retrospective"


# -- the loop breaker -------------------------------------------------------------


def test_an_edit_made_while_a_record_was_left_alone_arrives_after_the_hour(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    with world.store.begin() as work:
        link = work.links.of_task(world.organization.id, task["id"])
        assert link is not None
        link.quarantined_until = world.clock.now() + timedelta(hours=1)
        work.commit()
    world.edit_task(task["id"], title="Edited")
    world.settle()

    for _ in range(8):
        world.poll()

    assert world.only_event()["summary"] == "Edited"


# -- what else breaks ---------------------------------------------------------


def _held(world: World) -> int:
    with world.store.read() as work:
        return len(work.held_deletions.page(world.organization.id, limit=10).rows)


def test_a_window_that_moves_holds_what_too_many_occurrences_lose(
    simulated: World,
) -> None:
    simulated.settings(mass_deletion_limit=3, frequency="hourly")
    simulated.ann.create("other")
    add_series(simulated)
    simulated.sync_all(simulated.connection().id, Trigger.MANUAL)
    before = statuses(simulated)
    simulated.pass_time()
    # Shortened by mistake, between two runs.
    simulated.ann.edit("standup", recurrence=["RRULE:FREQ=WEEKLY;COUNT=1"])

    due = messages.WindowDue(calendar_id=simulated.calendar().id)
    simulated.queue(Queue.BACKFILL, due, Trigger.SCHEDULE)
    simulated.settle()

    assert len(before) > 10
    assert statuses(simulated) == before
    assert _held(simulated) == 1


# -- first syncs ------------------------------------------------------------------


def _connect_job(world: World, connection_id: int) -> tables.Job:
    """Store the job of a first sync, as the callback of a consent does."""
    with world.store.begin() as work:
        job = work.jobs.start(
            organization_id=world.organization.id,
            connection_id=connection_id,
            trigger=Trigger.BACKFILL,
            direction=Direction.BOTH,
            now=world.clock.now(),
        )
        work.commit()
    return job


def test_a_first_sync_that_waits_in_a_long_queue_is_not_queued_again_and_again(
    world: World,
) -> None:
    connection_id = world.store_connection("cleo")
    job = _connect_job(world, connection_id)
    due = messages.ConnectionDue(connection_id=connection_id)
    world.queue(Queue.BACKFILL, due, Trigger.BACKFILL, job_id=job.id)

    for _ in range(20):
        world.pass_time(timedelta(minutes=1))
        world.periodic.round()

    waiting = [m for m in world.broker.waiting() if m.subject == due]
    assert len(waiting) == 1


def test_a_first_sync_that_could_not_be_queued_begins_when_the_broker_is_back(
    world: World,
) -> None:
    connection_id = world.store_connection("cleo")
    world.accounts["cleo"].create("fromgoogle", summary="Lunch")
    job = _connect_job(world, connection_id)
    with world.store.begin() as work:
        work.jobs.fail(job.id, now=world.clock.now())
        work.commit()

    for _ in range(15):
        world.pass_time(timedelta(minutes=1))
        world.periodic.round()
        world.settle()

    assert [task["title"] for task in world.crm_side.live_tasks()] == ["Lunch"]


# -- rolling ----------------------------------------------------------------------


def test_an_event_enters_the_window_though_it_was_edited_while_nothing_was_imported(
    world: World,
) -> None:
    world.settings(create_tasks_from_google=False)
    start = world.clock.now() + timedelta(days=95)
    times: dict[str, Any] = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + HOUR).isoformat()},
    }
    world.add_event("faraway", summary="Fair", **times)
    world.settle()
    world.settings(create_tasks_from_google=True)
    for name in ("ann", "ben"):
        world.sync_all(world.connection(name).id, Trigger.REPAIR)

    for _ in range(11):
        world.pass_time(timedelta(days=1))
        world.periodic.round()
        world.settle()

    assert world.only_task()["title"] == "Fair"


def test_a_list_that_could_queue_nothing_leaves_no_job_that_runs_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise errors.BrokerConnectionError

    world.add_event()
    world.ann.after_next(
        "list_events", lambda: monkeypatch.setattr(world.broker, "publish", publish)
    )
    world.calendar_changed()
    world.settle()

    assert "running" not in {job.state for job in world.jobs()}
    assert world.only_task()["title"] == "Lunch"


# -- timers -----------------------------------------------------------------------


def test_a_run_is_not_lost_because_the_broker_was_away_when_it_was_due(
    world: World,
) -> None:
    world.settings(frequency="hourly")
    _run(world)
    world.add_task()
    world.settle()

    world.pass_time(HOUR)
    world.broker.is_away = True
    with pytest.raises(errors.BrokerConnectionError):
        world.periodic.round()
    world.broker.is_away = False
    for _ in range(5):
        world.pass_time(timedelta(minutes=1))
        world.periodic.round()
        world.settle()

    assert world.only_event()["summary"] == "Plan"


# -- the calendar before ----------------------------------------------------------


def _choose_another(world: World) -> tables.Calendar:
    """Let Ann choose another calendar, and delete the one that was synced."""
    former = world.calendar()
    with_another_calendar(world)
    choose(world, TEAM)
    world.ann.drop_calendar(former.google_calendar_id)
    return former


def test_a_late_list_of_a_calendar_that_was_synced_before_parks_nobody(
    world: World,
) -> None:
    former = _choose_another(world)

    world.queue(Queue.GOOGLE_CHANGES, messages.CalendarDue(calendar_id=former.id))
    world.settle()

    assert world.connection().state == ConnectionState.ACTIVE


def test_a_late_look_at_an_event_of_a_calendar_synced_before_parks_nobody(
    world: World,
) -> None:
    world.add_event()
    world.settle()
    former = _choose_another(world)

    due = messages.EventDue(
        calendar_id=former.id, event_id="fromgoogle", must_read=True
    )
    world.queue(Queue.RECORDS, due, Trigger.RETRY)
    world.settle()

    assert world.connection().state == ConnectionState.ACTIVE


# -- leaving with guests ----------------------------------------------------------


@pytest.mark.parametrize(
    "refusal", [errors.GrantRevokedError(), errors.CalendarOffError()]
)
def test_a_guest_whom_google_lets_in_no_more_does_not_keep_events_of_who_leaves(
    simulated: World, refusal: Exception
) -> None:
    simulated.connect("ben")
    for number in range(3):
        guests = [{"email": "ben@example.com"}]
        simulated.add_task(title=f"Task {number}", attendees=guests)
    simulated.settle()
    simulated.calendar_changed("ben")
    simulated.settle()
    simulated.refusals["ben"] = refusal

    paused = {"state": ConnectionState.PAUSED, "probed_at": simulated.clock.now()}
    simulated.change_connection("ann", **paused)
    due = messages.RemovalDue(connection_id=simulated.connection().id)
    simulated.queue(Queue.BACKFILL, due, Trigger.MANUAL)
    simulated.settle(patience=timedelta(hours=3))

    assert simulated.ann.live_events() == []
    assert simulated.connection().state == ConnectionState.DISCONNECTED


def test_a_type_that_is_switched_off_is_no_mass_deletion(world: World) -> None:
    world.settings(mass_deletion_limit=1)
    for number in range(5):
        world.add_task(title=f"Task {number}", due_at="2027-03-03T10:00:00Z")
    world.settle()
    assert len(world.ann.live_events()) == 5

    world.settings(
        task_types={"Meeting": False, "Call": True}, default_task_type="Call"
    )
    world.sync_all(world.connection().id, Trigger.REPAIR)

    with world.store.read() as work:
        held = work.held_deletions.page(world.organization.id, limit=10).rows
    assert (len(held), len(world.ann.live_events())) == (0, 0)


def test_meetings_whose_making_failed_so_far_are_no_mass_deletion(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    world.be_down(times=4, on="insert_event")
    for number in range(4):
        world.add_task(title=f"Task {number}")
    world.settle()
    assert world.ann.live_events() == []

    world.sync_all(world.connection().id, Trigger.MANUAL)
    world.settle(patience=timedelta(hours=2))

    with world.store.read() as work:
        held = work.held_deletions.page(world.organization.id, limit=10).rows
    assert (len(held), len(world.ann.live_events())) == (0, 4)


def test_a_sync_by_hand_does_not_cancel_a_task_whose_event_could_not_be_made_yet(
    world: World,
) -> None:
    world.be_down(times=2, on="insert_event")
    task = world.add_task()
    world.settle()
    assert world.ann.live_events() == []

    world.sync_all(world.connection().id, Trigger.MANUAL)
    world.settle(patience=timedelta(hours=2))

    assert world.crm_side.task(task["id"])["status"] == "open"
    assert world.only_event()["summary"] == "Plan"


def test_a_held_deletion_is_over_when_its_user_has_restored_everything(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    _remove_events_at_once(world)
    for event in world.ann.bin():
        world.edit_event(event["id"], status="confirmed", summary="Back")
    world.settle()

    with world.store.read() as work:
        rows = work.held_deletions.page(world.organization.id, limit=10).rows
        left = [len(work.held_deletions.links_of(row.id)) for row in rows]
    assert left == []


def test_nor_one_of_an_imported_meeting_that_moves_to_another_owner(
    world: World,
) -> None:
    world.add_event()
    world.settle()
    task = world.only_task()
    world.be_down("ben", times=2, on="insert_event")
    world.edit_task(task["id"], owner_id="ben")
    world.settle()
    assert world.ben.live_events() == []

    world.sync_all(world.connection("ben").id, Trigger.MANUAL)
    world.settle(patience=timedelta(hours=2))

    assert world.crm_side.task(task["id"])["status"] == "open"
    assert world.only_event("ben")["summary"] == "Lunch"


# -- what was ours, or is synced no longer ----------------------------------------


def test_a_sync_that_waits_for_another_one_does_not_spend_the_quota_meanwhile(
    world: World,
) -> None:
    due = messages.ConnectionDue(connection_id=world.connection().id)
    with world.store.try_lock(f"calendar:{world.calendar().id}"):
        world.queue(Queue.RECORDS, due, Trigger.MANUAL)
        world.forget_calls()
        world.settle(patience=timedelta(minutes=1))

    assert len(world.ann.calls) < 10


def test_tasks_whose_events_are_not_synced_any_more_can_be_deleted_at_once(
    world: World,
) -> None:
    world.settings(mass_deletion_limit=1)
    with_another_calendar(world)
    for number in range(4):
        world.add_event(f"event{number}")
    world.settle()
    choose(world, TEAM)
    world.pass_time()
    for task in world.crm_side.live_tasks():
        world.crm_side.remove(task["id"])

    world.poll()

    with world.store.read() as work:
        assert not work.held_deletions.count_waiting(world.organization.id)
    assert len(world.ann.live_events()) == 4


def test_an_event_that_we_made_for_an_imported_task_moves_with_its_new_owner(
    world: World,
) -> None:
    world.ben.add_calendar(TEAM)
    world.sync_all(world.connection("ben").id, Trigger.REPAIR)
    world.add_event()
    world.settle()
    world.edit_task(world.only_task()["id"], owner_id="ben")
    world.settle()
    made = world.only_event("ben")

    with world.store.begin() as work:
        chosen = work.calendars.of(world.connection("ben").id, "sub-ben", TEAM)
        assert chosen is not None
        work.calendars.select(chosen)
        work.commit()
    world.sync_all(world.connection("ben").id, Trigger.REPAIR)

    assert made["id"] != "fromgoogle"
    assert world.ben.live_events() == []
    assert world.only_link().calendar_id == world.calendar("ben").id
