"""A user disconnects, and wants the events removed that were made for them."""

from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState, JobState, LinkState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World


@pytest.fixture
def leaving(world: World) -> World:
    """Return a world in which Ann leaves; she has three tasks and an event."""
    world.settings(guest_notifications="all")
    for number in range(3):
        world.add_task(title=f"Task {number}")
    world.add_event()
    world.settle()
    world.forget_calls()
    return world


def _leave(world: World) -> None:
    world.change_connection("ann", state=ConnectionState.PAUSED)
    due = messages.RemovalDue(connection_id=world.connection().id)
    world.queue(Queue.RECORDS, due, Trigger.MANUAL)


def _links(world: World) -> list[tables.Link]:
    with world.store.read() as work:
        tasks = world.crm_side.live_tasks()
        found = [work.links.of_task(world.organization.id, t["id"]) for t in tasks]
    return [link for link in found if link is not None]


def test_what_we_made_goes_without_mail_and_what_is_theirs_stays(
    leaving: World,
) -> None:
    _leave(leaving)
    leaving.settle()

    assert [event["id"] for event in leaving.ann.live_events()] == ["fromgoogle"]
    assert set(leaving.ann.sent_updates) == {"none"}
    assert {task["status"] for task in leaving.crm_side.live_tasks()} == {"open"}


def test_the_access_is_given_up_at_the_end(leaving: World) -> None:
    _leave(leaving)
    leaving.settle()

    connection = leaving.connection()
    assert connection.state == ConnectionState.DISCONNECTED
    assert connection.refresh_token is None
    assert leaving.revoked == ["ann"]
    assert leaving.channels() == []


def test_each_removal_is_in_the_history(leaving: World) -> None:
    _leave(leaving)
    leaving.settle()

    removed = [i for i in leaving.items() if i.reason == Reason.DISCONNECTED]
    assert len(removed) == 3
    assert {item.action for item in removed} == {"cancel_event"}


def test_all_removals_are_one_job(leaving: World) -> None:
    with leaving.store.begin() as work:
        job = work.jobs.start(
            organization_id=leaving.organization.id,
            connection_id=leaving.connection().id,
            trigger=Trigger.MANUAL,
            direction="crm_to_google",  # type: ignore[arg-type] # its text will do
            now=leaving.clock.now(),
        )
        work.commit()
    leaving.change_connection("ann", state=ConnectionState.PAUSED)
    due = messages.RemovalDue(connection_id=leaving.connection().id)
    leaving.queue(Queue.RECORDS, due, Trigger.MANUAL, job_id=job.id)

    leaving.settle()

    with leaving.store.read() as work:
        done = work.jobs.by_id(job.id)
    assert (done.state, done.processed) == (JobState.SUCCEEDED, 3)


def test_a_removal_that_breaks_off_goes_on_where_it_stopped(leaving: World) -> None:
    leaving.ann.after_next("delete_event", lambda: leaving.be_down(on="delete_event"))

    _leave(leaving)
    leaving.settle(patience=timedelta(minutes=1))

    assert [event["id"] for event in leaving.ann.live_events()] == ["fromgoogle"]
    assert leaving.connection().state == ConnectionState.DISCONNECTED


def test_a_worker_that_dies_on_the_way_leaves_nothing_behind(leaving: World) -> None:
    leaving.ann.apply_then_fail(Killed(), on="delete_event")

    _leave(leaving)
    leaving.crash()
    leaving.settle()

    assert [event["id"] for event in leaving.ann.live_events()] == ["fromgoogle"]
    assert leaving.connection().state == ConnectionState.DISCONNECTED


def test_connecting_again_meanwhile_stops_it(leaving: World) -> None:
    _leave(leaving)
    leaving.change_connection("ann", state=ConnectionState.ACTIVE)

    leaving.settle()

    assert len(leaving.ann.live_events()) == 4
    assert leaving.connection().state == ConnectionState.ACTIVE


def test_connecting_again_later_brings_the_events_back(leaving: World) -> None:
    _leave(leaving)
    leaving.settle()
    leaving.change_connection("ann", refresh_token="again")  # noqa: S106 - made up

    leaving.reconnect()

    assert len(leaving.ann.live_events()) == 4
    assert {link.state for link in _links(leaving)} == {LinkState.ACTIVE}
    assert len(leaving.crm_side.live_tasks()) == 4


def test_a_grant_that_google_does_not_end_is_forgotten_all_the_same(
    leaving: World,
) -> None:
    leaving.revocation_fails = errors.RemoteUnavailableError()

    _leave(leaving)
    leaving.settle()

    assert leaving.connection().refresh_token is None
