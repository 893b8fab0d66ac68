"""What a first sync would do can be seen before, and the looking changes nothing."""

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, messages
from shared.domain.access import Problem
from shared.domain.messages import Queue, Trigger
from tests.unit.workers import series
from tests.unit.workers.world import World
from workers import previewing
from workers.onlooking import Writes

NOTHING = Writes()


@pytest.fixture
def unsynced(simulated: World) -> World:
    """Return a world in which Ben has connected, and waits with his first sync."""
    simulated.store_connection("ben")
    simulated.change_connection(
        "ben", state=ConnectionState.PAUSED, problem=Problem.NOT_STARTED
    )
    return simulated


def preview(world: World, name: str = "ben") -> previewing.Preview:
    """Return what a sync of somebody would do; it must not have done it."""
    before = _state(world)
    found = previewing.preview(world.services, world.connection(name))
    assert _state(world) == before
    return found


def _state(world: World) -> object:
    tasks = world.crm_side.live_tasks()
    events = {name: each.live_events() for name, each in world.accounts.items()}
    with world.store.read() as work:
        rows = [
            len(work.links.of_connection(world.connection().id)),
            world.connection().state,
            len(world.jobs()),
        ]
    return (
        tasks,
        events,
        rows,
        world.crm_side.notifications,
        dict(world.broker.depths()),
    )


def start(world: World, name: str = "ben") -> None:
    """Let the first sync run that was previewed."""
    world.change_connection(name, state=ConnectionState.ACTIVE, problem=None)
    world.sync_all(world.connection(name).id, Trigger.BACKFILL)


def test_creations_on_both_sides_are_counted(unsynced: World) -> None:
    unsynced.add_task(owner_id="ben", title="From the CRM")
    unsynced.add_event(name="ben", summary="From Google")
    unsynced.settle()

    found = preview(unsynced)

    assert found.google == Writes(created=1)
    assert found.crm == Writes(created=1)
    assert found.failed == 0


def test_the_sync_then_does_what_the_preview_said(unsynced: World) -> None:
    for number in range(3):
        unsynced.add_task(owner_id="ben", title=f"Task {number}")
    unsynced.add_task(owner_id="ben", title="A type that is off", type="Call")
    series.add_series(unsynced, "ben", recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    unsynced.settle()

    found = preview(unsynced)
    before = len(unsynced.ben.live_events()), len(unsynced.crm_side.live_tasks())
    start(unsynced)

    after = len(unsynced.ben.live_events()), len(unsynced.crm_side.live_tasks())
    assert after[0] - before[0] == found.google.created == 3
    assert after[1] - before[1] == found.crm.created == 5
    assert ("type_switched_off", 1) in {
        (left.reason, left.count) for left in found.left
    }


def test_what_is_in_step_needs_no_write(simulated: World) -> None:
    simulated.add_task()
    simulated.add_event()
    simulated.settle()

    found = preview(simulated, "ann")

    assert (found.google, found.crm) == (NOTHING, NOTHING)


def test_what_changed_unheard_is_counted(simulated: World) -> None:
    edited = simulated.add_task(title="Edited")
    deleted = simulated.add_task(title="Deleted")
    simulated.settle()
    simulated.pass_time()
    simulated.crm_side.edit(edited["id"], title="Edited unheard")
    simulated.crm_side.remove(deleted["id"])

    found = preview(simulated, "ann")

    assert found.google == Writes(updated=1, cancelled=1)
    assert found.crm == NOTHING


def test_look_alikes_are_linked_not_created(unsynced: World) -> None:
    start = {"dateTime": "2026-03-03T10:00:00Z"}
    end = {"dateTime": "2026-03-03T10:30:00Z"}
    unsynced.add_event(name="ben", summary="Plan", start=start, end=end)
    unsynced.add_task(owner_id="ben", title="Plan")
    unsynced.settle()

    found = preview(unsynced)

    assert found.linked == 1
    assert (found.google.created, found.crm.created) == (0, 0)


def test_guests_are_counted_and_none_would_be_mailed(unsynced: World) -> None:
    unsynced.settings(guest_notifications="all")
    for title in ("One", "Two"):
        unsynced.add_task(
            owner_id="ben",
            title=title,
            attendees=[{"email": "guest@elsewhere.example"}],
        )
    unsynced.settle()

    found = preview(unsynced)

    assert (found.guests, found.mailed) == (1, 0)


def test_a_meeting_that_others_have_already_is_not_made_again(unsynced: World) -> None:
    unsynced.add_event(attendees=[{"email": "ben@gmail.com"}])
    unsynced.settle()

    found = preview(unsynced)

    assert found.crm == NOTHING
    assert {left.reason for left in found.left} == {"another_copy_leads"}


def test_a_revoked_access_is_told_and_parks_nothing(unsynced: World) -> None:
    unsynced.refusals["ben"] = errors.GrantRevokedError()

    with pytest.raises(previewing.NotActiveError, match="Connect again"):
        preview(unsynced)


def test_a_calendar_that_cannot_be_listed_is_told(unsynced: World) -> None:
    unsynced.be_down("ben", on="list_events")

    with pytest.raises(errors.RemoteUnavailableError):
        preview(unsynced)


def _ask(world: World) -> tables.Preview:
    connection_id = world.connection("ben").id
    with world.store.begin() as work:
        work.previews.request(connection_id, world.clock.now())
        work.commit()
    due = messages.PreviewDue(connection_id=connection_id)
    world.queue(Queue.RECORDS, due, Trigger.MANUAL)
    world.settle()
    with world.store.read() as work:
        return work.previews.by_id(connection_id)


def test_a_preview_that_was_asked_for_is_kept(unsynced: World) -> None:
    unsynced.add_task(owner_id="ben")
    unsynced.settle()

    row = _ask(unsynced)

    assert row.counts is not None
    assert row.counts["google"] == {"created": 1, "updated": 0, "cancelled": 0}
    assert (row.error, row.finished_at) == (None, unsynced.clock.now())


def test_a_preview_that_failed_says_why(unsynced: World) -> None:
    unsynced.refusals["ben"] = errors.GrantRevokedError()

    row = _ask(unsynced)

    assert row.counts is None
    assert row.error == Problem.REVOKED.detail


def test_what_awaits_its_start_is_not_started_by_periodic_work(
    unsynced: World,
) -> None:
    unsynced.add_task(owner_id="ben")
    unsynced.poll()
    unsynced.poll()

    assert unsynced.connection("ben").state == ConnectionState.PAUSED
    assert unsynced.ben.live_events() == []
