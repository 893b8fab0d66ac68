"""The CRM is polled for what its webhooks did not tell."""

from datetime import timedelta

from shared.adapters.store.states import JobState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from tests import fakes
from tests.unit.workers.machinery import NOW, Killed
from tests.unit.workers.world import World


def _poll(world: World) -> None:
    due = messages.OrganizationDue(organization_id=world.organization.id)
    world.queue(Queue.CRM_CHANGES, due, Trigger.SCHEDULE)
    world.settle()


def _cursor(world: World) -> object:
    with world.store.read() as work:
        return work.organizations.by_id(world.organization.id).crm_cursor


def test_a_change_whose_webhook_was_lost_is_found(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], title="Plan B")
    world.add_task(title="New")
    world.broker.lose()

    _poll(world)

    titles = {event["summary"] for event in world.ann.live_events()}
    assert titles == {"Plan B", "New"}


def test_a_deletion_whose_webhook_was_lost_is_found(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.remove_task(task["id"])
    world.broker.lose()

    _poll(world)

    assert world.ann.live_events() == []


def test_what_was_dealt_with_is_not_looked_at_again(world: World) -> None:
    world.add_task()
    world.settle()
    world.forget_calls()

    _poll(world)

    assert world.crm_side.calls == ["list_tasks"]
    assert world.ann.calls == []
    job = world.jobs()[-1]
    assert (job.state, job.processed) == (JobState.SUCCEEDED, 0)
    assert (job.trigger, job.direction) == ("schedule", "crm_to_google")


def test_the_cursor_follows_with_an_overlap(world: World) -> None:
    world.pass_time(timedelta(hours=1))

    _poll(world)

    assert _cursor(world) == NOW + timedelta(hours=1) - timedelta(seconds=30)


def test_the_cursor_is_in_the_time_of_the_crm(world: World) -> None:
    world.pass_time(timedelta(hours=1))
    world.crm_side.skew = timedelta(minutes=-10)

    _poll(world)

    assert _cursor(world) == NOW + timedelta(minutes=50) - timedelta(seconds=30)


def test_the_cursor_never_goes_back(world: World) -> None:
    world.pass_time(timedelta(hours=1))
    _poll(world)
    before = _cursor(world)
    world.crm_side.skew = timedelta(minutes=-10)

    _poll(world)

    assert _cursor(world) == before


def test_a_change_that_appears_late_is_found_by_the_next_poll(world: World) -> None:
    world.pass_time(timedelta(hours=1))
    _poll(world)
    task = world.crm_side.add(title="Late", owner_id="ann", due_at="2026-03-03T10:00Z")
    world.pass_time(timedelta(seconds=20))
    _poll(world)
    world.crm_side.edit(task["id"], title="Later")

    _poll(world)

    assert world.only_event()["summary"] == "Later"


def test_it_goes_on_page_by_page(world: World) -> None:
    users = world.crm_side.users
    world.crm_side = fakes.InMemoryCrm(world.clock, users=users, page_size=1)
    for number in range(3):
        world.pass_time()
        world.add_task(title=f"Task {number}")
    world.broker.lose()

    _poll(world)

    assert world.crm_side.calls.count("list_tasks") == 3
    assert len(world.ann.live_events()) == 3
    assert world.jobs()[-1].processed == 3


def test_the_cursor_stays_where_it_is_when_the_list_breaks_off(world: World) -> None:
    users = world.crm_side.users
    world.crm_side = fakes.InMemoryCrm(world.clock, users=users, page_size=1)
    for number in range(2):
        world.pass_time()
        world.add_task(title=f"Task {number}")
    world.broker.lose()

    def be_down() -> None:
        world.crm_side.fail_next(errors.RemoteUnavailableError(), on="list_tasks")

    world.crm_side.after_next("list_tasks", be_down)
    _poll(world)
    broken_off = _cursor(world)
    world.settle(patience=timedelta(seconds=20))

    assert broken_off is None
    assert _cursor(world) is not None
    assert len(world.ann.live_events()) == 2


def test_a_crash_in_the_middle_of_a_poll_repeats_it(world: World) -> None:
    world.add_task()
    world.broker.lose()
    world.crm_side.fail_next(Killed(), on="list_tasks")
    due = messages.OrganizationDue(organization_id=world.organization.id)
    world.queue(Queue.CRM_CHANGES, due, Trigger.SCHEDULE)
    world.crash()

    world.settle()

    assert world.only_event()["summary"] == "Plan"


def test_two_polls_at_once_do_not_get_into_each_others_way(world: World) -> None:
    due = messages.OrganizationDue(organization_id=world.organization.id)

    def meanwhile() -> None:
        world.queue(Queue.CRM_CHANGES, due, Trigger.SCHEDULE)
        world.broker.run(world.dispatcher)

    world.crm_side.before_next("list_tasks", meanwhile)
    world.add_task()
    world.broker.lose()
    world.queue(Queue.CRM_CHANGES, due, Trigger.SCHEDULE)
    world.settle()

    assert world.crm_side.calls.count("list_tasks") == 2
    assert len(world.ann.live_events()) == 1


def test_users_are_read_along(world: World) -> None:
    world.pass_time(timedelta(minutes=2))

    _poll(world)

    assert world.crm_side.calls == ["list_users", "list_tasks"]


def test_a_task_that_waits_for_its_user_counts_as_new(world: World) -> None:
    world.change_connection(state="needs_reauthorization")
    world.add_task()
    world.settle()
    world.change_connection(state="active")

    _poll(world)

    assert world.only_event()["summary"] == "Plan"
