"""Why did this happen: every message leaves a line with what it saw and did."""

from datetime import timedelta

from shared.adapters.store.states import JobState, Outcome
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import NOW
from tests.unit.workers.world import World


def test_a_webhook_has_a_job_of_its_own_with_one_item(world: World) -> None:
    jobs = len(world.jobs())

    task = world.add_task()
    world.settle()

    assert len(world.jobs()) == jobs + 1
    job, item = world.jobs()[-1], world.last_item()
    assert (job.trigger, job.direction) == ("webhook", "crm_to_google")
    assert (job.state, job.expected, job.processed) == (JobState.SUCCEEDED, 1, 1)
    assert (job.started_at, job.finished_at) == (NOW, NOW)
    assert item.job_id == job.id
    assert (item.outcome, item.action) == (Outcome.APPLIED, "create_event")
    assert (item.task_id, item.event_id) == (task["id"], world.only_event()["id"])
    assert item.link_id == world.only_link().id
    assert item.connection_id == world.connection().id
    assert item.attempts == 1


def test_a_notification_has_a_job_with_an_item_for_each_changed_event(
    world: World,
) -> None:
    world.ann.create("one", summary="One")
    world.ann.create("two", summary="Two")

    world.calendar_changed()
    world.settle()

    job = world.jobs()[-1]
    assert (job.trigger, job.direction) == ("webhook", "google_to_crm")
    assert job.connection_id == world.connection().id
    assert (job.state, job.expected, job.processed) == (JobState.SUCCEEDED, 2, 2)
    assert {item.event_id for item in world.items()} == {"one", "two"}
    assert {item.action for item in world.items()} == {"create_task"}


def test_an_edit_shows_what_became_of_each_field(world: World) -> None:
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], title="Plan B", location="Room 3")
    world.settle()

    item = world.last_item()
    assert item.action == "update_event"
    assert item.changes == {
        "location": {"before": "", "after": "Room 3"},
        "title": {"before": "Plan", "after": "Plan B"},
    }
    assert item.crm is not None
    assert item.crm["title"] == "Plan B"
    assert item.google is not None
    assert item.google["title"] == "Plan"


def test_a_new_record_shows_all_its_fields(world: World) -> None:
    world.add_event()

    world.settle()

    changes = world.last_item().changes
    assert changes is not None
    assert changes["title"] == {"before": None, "after": "Lunch"}


def test_a_conflict_shows_both_versions(world: World) -> None:
    world.settings(conflict_policy="google_wins")
    task = world.add_task()
    world.settle()

    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Google")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    item = world.last_item()
    assert item.reason == Reason.CONFLICT_GOOGLE_WINS
    assert item.crm is not None
    assert item.crm["title"] == "CRM"
    assert item.google is not None
    assert item.google["title"] == "Google"


def test_a_conflict_for_a_user_is_counted_by_its_job(world: World) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()

    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Google")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    job, item = world.jobs()[-1], world.last_item()
    assert (job.state, job.conflicts) == (JobState.SUCCEEDED, 1)
    assert (item.outcome, item.action) == (Outcome.CONFLICT, "none")


def test_both_writes_of_a_merge_are_named(world: World) -> None:
    world.settings(merge_disjoint_edits=True)
    task = world.add_task()
    world.settle()

    world.pass_time()
    world.ann.edit(world.only_event()["id"], location="Room 3")
    world.edit_task(task["id"], title="Plan B")
    world.settle()

    assert world.last_item().action == "update_event+update_task"


def test_an_event_removed_because_of_the_scope_is_named(world: World) -> None:
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], type="Call")
    world.settle()

    item = world.last_item()
    assert (item.outcome, item.action) == (Outcome.APPLIED, "cancel_event")
    assert item.reason == Reason.TYPE_SWITCHED_OFF


def test_a_job_in_which_some_records_failed_is_partial(world: World) -> None:
    world.ann.create("bad", summary="Bad", start={"dateTime": "never"})
    world.ann.create("good", summary="Good")

    world.calendar_changed()
    world.settle()

    job = world.jobs()[-1]
    assert (job.state, job.processed, job.errors) == (JobState.PARTIAL, 2, 1)


def test_a_record_that_has_to_wait_for_another_worker_leaves_no_line(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    lines = len(world.items())

    def meanwhile() -> None:
        world.task_changed(world.crm_side.task(task["id"]))
        world.broker.run(world.dispatcher)

    world.ann.before_next("patch_event", meanwhile)
    world.edit_task(task["id"], title="Plan B")
    world.settle()

    assert len(world.items()) == lines + 2
    assert len(world.jobs()) == len({item.job_id for item in world.items()}) + 2


def test_the_last_sync_of_a_connection_is_noted(world: World) -> None:
    world.pass_time()

    world.add_task()
    world.settle()

    assert world.connection().last_sync_at == world.clock.now()


def test_the_clocks_of_both_sides_are_noted(world: World) -> None:
    world.crm_side.skew = timedelta(seconds=90)
    world.ann.skew = timedelta(seconds=-40)

    world.add_task()
    world.settle()

    with world.store.read() as work:
        organization = work.organizations.by_id(world.organization.id)
    assert organization.crm_skew_seconds == 90.0
    assert world.connection().google_skew_seconds == -40.0


def test_a_clock_that_was_not_seen_yet_is_taken_to_be_right(world: World) -> None:
    world.crm_side.skew = world.ann.skew = None

    world.add_task()
    world.settle()

    assert world.connection().google_skew_seconds == 0.0
