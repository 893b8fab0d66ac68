"""A user disconnects, and wants the events removed that were made for them."""

from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import (
    ConnectionState,
    Direction,
    JobState,
    LinkState,
)
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


def _leave(world: World) -> tables.Job:
    """Ask for the removal of Ann's events, as the API does; return its job."""
    now, connection = world.clock.now(), world.connection()
    paused = {"state": ConnectionState.PAUSED, "probed_at": now}
    world.change_connection("ann", **paused)
    with world.store.begin() as work:
        job = work.jobs.start(
            organization_id=world.organization.id,
            connection_id=connection.id,
            trigger=Trigger.MANUAL,
            direction=Direction.CRM_TO_GOOGLE,
            now=now,
        )
        work.commit()
    due = messages.RemovalDue(connection_id=connection.id)
    world.queue(Queue.BACKFILL, due, Trigger.MANUAL, job_id=job.id)
    return job


def _outcome(world: World, job: tables.Job) -> tuple[str, int, int]:
    """Return how a job ended, and its records, and how many of them failed."""
    with world.store.read() as work:
        ended = work.jobs.by_id(job.id)
    return ended.state, ended.processed, ended.errors


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
    job = _leave(leaving)
    leaving.settle()

    assert _outcome(leaving, job) == (JobState.SUCCEEDED, 3, 0)


def test_a_removal_that_breaks_off_goes_on_where_it_stopped(leaving: World) -> None:
    leaving.ann.after_next("delete_event", lambda: leaving.be_down(on="delete_event"))

    job = _leave(leaving)
    leaving.settle(patience=timedelta(minutes=1))

    assert [event["id"] for event in leaving.ann.live_events()] == ["fromgoogle"]
    assert leaving.connection().state == ConnectionState.DISCONNECTED
    assert leaving.ann.calls.count("delete_event") == 4
    assert _outcome(leaving, job) == (JobState.SUCCEEDED, 4, 0)


def test_one_that_was_lost_on_the_way_is_begun_again(leaving: World) -> None:
    _leave(leaving)
    leaving.broker.lose()

    leaving.pass_time(timedelta(hours=1))
    leaving.periodic.round()
    leaving.settle()
    too_early = leaving.connection().state
    leaving.pass_time(timedelta(hours=1))
    leaving.periodic.round()
    leaving.settle()

    assert too_early == ConnectionState.PAUSED
    assert leaving.connection().state == ConnectionState.DISCONNECTED
    assert len(leaving.ann.live_events()) == 1
    assert leaving.jobs()[-1].state == JobState.SUCCEEDED


def test_access_that_ends_meanwhile_leaves_the_rest_and_says_so(
    leaving: World,
) -> None:
    revoked = errors.GrantRevokedError()
    leaving.ann.after_next(
        "delete_event", lambda: leaving.ann.fail_next(revoked, on="delete_event")
    )

    job = _leave(leaving)
    leaving.settle()

    assert leaving.connection().state == ConnectionState.DISCONNECTED
    assert len(leaving.ann.live_events()) == 3
    assert _outcome(leaving, job) == (JobState.PARTIAL, 2, 1)
    assert leaving.last_item().reason == "grant_revoked"
    assert leaving.crm_side.notifications == {}


def test_the_copies_of_connected_guests_go_too(simulated: World) -> None:
    simulated.connect("ben")
    simulated.add_task(attendees=[{"email": "ben@example.com"}])
    simulated.settle()
    simulated.calendar_changed("ben")
    simulated.settle()
    before = len(simulated.ben.live_events())

    _leave(simulated)
    simulated.settle()

    assert (before, len(simulated.ben.live_events())) == (1, 0)
    assert simulated.only_task()["status"] == "open"


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
