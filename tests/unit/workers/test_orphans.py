"""Orphans and duplicates: what is found, what is not, and what a repair makes of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors, identifiers
from tests import fakes
from tests.unit.workers.losing import (
    links,
    lose_link,
    lose_links,
    outage,
    rebuild,
    sync_everybody,
    times,
    titles,
    writes,
)
from tests.unit.workers.series import FIRST, add_series, occurrence, task_at
from tests.unit.workers.world import World
from workers import search
from workers.mending import Mending
from workers.orphans import Kind, Orphan, Repair


def find(world: World) -> Sequence[Orphan]:
    """Search, which must be able to read everything and writes nothing."""
    world.forget_calls()
    findings = search.find(world.services, world.organization)
    assert findings.unread == []
    assert writes(world) == []
    return findings.orphans


def repair(world: World) -> None:
    """Repair all that can be, and let the workers finish it."""
    mending = Mending(world.services, world.organization)
    for orphan in find(world):
        if orphan.repair is not None:
            mending.repair(orphan)
    world.settle()


def kinds(world: World) -> list[Kind]:
    """Return the kinds of what is found."""
    return [each.kind for each in find(world)]


def make_event_of(world: World, task_id: str, generation: int, **fields: Any) -> str:  # noqa: ANN401
    """Put an event into Ann's calendar that we have made for a task."""
    event_id = identifiers.event_id("acme", task_id, "ann@gmail.com", generation)
    private = {"crmTaskId": task_id, "crmOrganization": "acme"}
    tag = {"private": private}
    world.ann.create(event_id, extendedProperties=tag, **fields)
    return event_id


# -- nothing ----------------------------------------------------------------------


def test_where_all_is_in_step_nothing_is_found(world: World) -> None:
    task = world.add_task()
    cancelled = world.add_task(title="Cancelled", due_at="2026-03-04T10:00:00Z")
    deleted = world.add_task(title="Deleted", due_at="2026-03-05T10:00:00Z")
    world.add_event("lunch0")
    world.add_event("called0ff", summary="Called off")
    world.settle()
    world.edit_task(task["id"], owner_id="ben")
    world.edit_task(cancelled["id"], status="cancelled")
    world.remove_task(deleted["id"])
    world.remove_event("called0ff")
    world.settle()

    assert find(world) == []


def test_a_series_is_no_crowd_of_duplicates(simulated: World) -> None:
    add_series(simulated)
    simulated.edit_event(occurrence(FIRST), location="Room 1")
    simulated.settle()

    assert find(simulated) == []


def test_what_is_out_of_scope_is_no_orphan(world: World) -> None:
    task = world.add_task(google_event_id="long0ago", google_calendar_id="x")
    world.settle()
    world.edit_task(task["id"], type="Call")
    world.settle()

    assert find(world) == []


def test_tasks_of_users_without_a_connection_are_not_judged(world: World) -> None:
    world.add_task(
        owner_id="cleo", google_event_id="gone0", google_calendar_id="cleo@gmail.com"
    )
    world.settle()

    assert find(world) == []


# -- an event whose task is gone --------------------------------------------------


def _lose_track_of_a_deleted_task(world: World) -> str:
    task = world.add_task(attendees=[{"email": "guest@x.example"}])
    world.settle()
    lose_link(world, task["id"])
    world.crm_side.remove(task["id"])
    return str(task["id"])


def test_an_event_is_found_whose_task_was_deleted_unseen(world: World) -> None:
    task_id = _lose_track_of_a_deleted_task(world)

    (found,) = find(world)

    assert found.kind is Kind.EVENTS_WITHOUT_TASK
    assert found.task_id == task_id
    assert found.event_id == world.only_event()["id"]
    assert found.title == "Plan"
    assert (found.crm_user_id, found.calendar) == ("ann", "ann@gmail.com")
    assert found.repair is Repair.CANCEL_EVENT


@pytest.mark.parametrize("days", [0, 40])
def test_its_repair_cancels_it_without_mail(world: World, days: int) -> None:
    world.settings(guest_notifications="all")
    _lose_track_of_a_deleted_task(world)
    # By then the CRM has forgotten the task altogether.
    world.pass_time(timedelta(days=days))

    repair(world)

    assert world.ann.live_events() == []
    assert world.ann.sent_updates == ["none"]
    assert world.crm_side.live_tasks() == []
    assert world.last_item().action == "cancel_event"
    assert find(world) == []


def test_a_deletion_that_a_linked_event_missed_is_made_up_for(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.crm_side.remove(task["id"])

    assert kinds(world) == [Kind.EVENTS_WITHOUT_TASK]
    repair(world)

    assert world.ann.live_events() == []


def test_an_event_of_a_task_that_has_had_another_since_is_removed_too(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    make_event_of(world, task["id"], 1, **times("2026-03-20"))
    world.crm_side.remove(task["id"])

    repair(world)
    repair(world)

    assert world.ann.live_events() == []


def test_an_event_that_a_user_made_is_never_removed(world: World) -> None:
    # An imported event that we have written, and a copy that a user made of ours.
    world.add_event("lunch0")
    world.settle()
    task = world.only_task()
    world.edit_task(task["id"], location="Kantine")
    world.settle()
    tag = world.ann.event("lunch0")["extendedProperties"]
    world.ann.create("copied0", extendedProperties=tag, **times("2026-03-20"))
    lose_links(world)
    world.crm_side.remove(task["id"])

    assert find(world) == []


def test_an_event_of_another_organization_is_none_of_ours(world: World) -> None:
    event_id = identifiers.event_id("other", "task-9", "ann@gmail.com", 0)
    private = {"crmTaskId": "task-9", "crmOrganization": "other"}
    world.ann.create(event_id, extendedProperties={"private": private})

    assert find(world) == []


def test_a_deletion_that_an_admin_has_to_approve_is_no_orphan(world: World) -> None:
    world.settings(mass_deletion_limit=0)
    task = world.add_task()
    world.settle()
    world.crm_side.remove(task["id"])
    world.poll()
    assert links(world)[0].held_deletion_id is not None

    assert find(world) == []


# -- a task whose event is gone ---------------------------------------------------


def test_a_task_whose_event_was_deleted_unseen_is_cancelled(world: World) -> None:
    world.add_event("lunch0")
    world.settle()
    world.ann.remove("lunch0")

    (found,) = find(world)
    assert (found.kind, found.event_id) == (Kind.TASKS_WITHOUT_EVENT, "lunch0")
    assert found.repair is Repair.CANCEL_TASK
    repair(world)

    assert world.only_task()["status"] == "cancelled"
    assert find(world) == []


def test_a_task_that_nobody_linked_gets_its_event_again(world: World) -> None:
    world.crm_side.add(
        title="Plan",
        owner_id="ann",
        due_at="2026-03-03T10:00:00Z",
        google_event_id="never0there",
        google_calendar_id="ann@gmail.com",
    )

    (found,) = find(world)
    assert found.repair is Repair.MAKE_EVENT
    repair(world)

    assert world.only_event()["summary"] == "Plan"
    assert find(world) == []


def test_an_occurrence_that_was_cancelled_unseen_is_found(simulated: World) -> None:
    add_series(simulated)
    simulated.ann.remove(occurrence(FIRST))

    (found,) = find(simulated)
    assert found.event_id == occurrence(FIRST)
    repair(simulated)

    assert task_at(simulated, FIRST)["status"] == "cancelled"


def test_an_occurrence_that_moved_out_of_the_window_is_not_gone(
    simulated: World,
) -> None:
    add_series(simulated)
    far = {"dateTime": "2027-01-05T10:00:00", "timeZone": "Europe/Berlin"}
    end = {"dateTime": "2027-01-05T11:00:00", "timeZone": "Europe/Berlin"}
    simulated.ann.edit(occurrence(FIRST), start=far, end=end)

    assert find(simulated) == []


# -- duplicates -------------------------------------------------------------------


def test_the_second_event_of_a_task_is_removed(world: World) -> None:
    task = world.add_task()
    world.settle()
    first = world.only_event()["id"]
    second = make_event_of(world, task["id"], 3)

    (found,) = find(world)
    assert (found.kind, found.event_id) == (Kind.DUPLICATE_EVENTS, second)
    assert (found.like, found.repair) == (first, Repair.REMOVE_EVENT)
    repair(world)

    assert world.only_event()["id"] == first
    assert world.ann.sent_updates == ["none"]
    assert world.only_task()["status"] == "open"
    assert find(world) == []


def test_an_event_that_became_the_only_one_meanwhile_is_not_removed(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    make_event_of(world, task["id"], 3)
    (found,) = find(world)
    with world.store.begin() as work:
        work.links.by_id(world.only_link().id).event_id = found.event_id
        work.commit()

    with pytest.raises(errors.RecordBusyError):
        Mending(world.services, world.organization).repair(found)


def test_without_a_link_nobody_knows_which_of_two_is_the_second(world: World) -> None:
    task = world.add_task()
    world.settle()
    make_event_of(world, task["id"], 3)
    lose_links(world)

    assert [each.repair for each in find(world)] == [None]
    rebuild(world)
    repair(world)

    assert len(world.ann.live_events()) == 1


def test_events_alike_of_which_we_made_one_are_left_to_their_user(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    made = world.only_event()
    world.ann.create("byhand0", summary="Plan", start=made["start"], end=made["end"])

    (found,) = find(world)

    assert (found.kind, found.event_id) == (Kind.DUPLICATE_EVENTS, "byhand0")
    assert (found.like, found.repair) == (made["id"], None)
    assert task["id"] == world.only_task()["id"]


def test_events_alike_that_users_made_are_their_own_affair(world: World) -> None:
    for event_id in ("one00", "two00"):
        world.ann.create(event_id, summary="Lunch", **times("2026-03-20"))

    assert find(world) == []


def test_a_task_alike_that_has_no_event_is_cancelled(world: World) -> None:
    world.add_event("lunch0", **times("2026-03-20"))
    world.settle()
    first = world.only_task()
    second = world.crm_side.add(
        title="Lunch",
        owner_id="ann",
        due_at=first["due_at"],
        duration_minutes=first["duration_minutes"],
    )

    (found,) = find(world)
    assert (found.kind, found.task_id) == (Kind.DUPLICATE_TASKS, second["id"])
    assert (found.like, found.repair) == (first["id"], Repair.CANCEL_TWIN)
    repair(world)

    assert world.crm_side.task(second["id"])["status"] == "cancelled"
    assert world.crm_side.task(first["id"])["status"] == "open"
    assert len(world.ann.live_events()) == 1
    assert find(world) == []


def test_a_task_alike_whose_event_is_gone_gets_no_other(world: World) -> None:
    world.add_event("lunch0", **times("2026-03-20"))
    world.settle()
    first = world.only_task()
    world.crm_side.add(
        title="Lunch",
        owner_id="ann",
        due_at=first["due_at"],
        duration_minutes=first["duration_minutes"],
        google_event_id="gone0",
        google_calendar_id="ann@gmail.com",
    )

    assert [each.repair for each in find(world)] == [Repair.CANCEL_TWIN]


def test_tasks_alike_with_an_event_each_are_left_to_their_user(world: World) -> None:
    for event_id in ("one00", "two00"):
        world.add_event(event_id, **times("2026-03-20"))
    world.settle()

    (found,) = find(world)

    assert (found.kind, found.repair) == (Kind.DUPLICATE_TASKS, None)


def test_a_task_that_got_an_event_meanwhile_is_not_cancelled(world: World) -> None:
    world.add_event("lunch0", **times("2026-03-20"))
    world.settle()
    first = world.only_task()
    second = world.crm_side.add(
        title="Lunch", owner_id="ann", due_at=first["due_at"], duration_minutes=60
    )
    (found,) = find(world)
    world.task_changed(second)
    world.settle()

    with pytest.raises(errors.RecordBusyError):
        Mending(world.services, world.organization).repair(found)

    assert world.crm_side.task(second["id"])["status"] == "open"


# -- links that point nowhere -----------------------------------------------------


def _point_nowhere(world: World) -> None:
    with world.store.begin() as work:
        link = work.links.by_id(links(world)[0].id)
        link.task_id, link.event_id, link.ical_uid = "task-99", "gone0", "gone0@x"
        work.commit()


def test_a_link_that_neither_side_knows_of_is_forgotten(world: World) -> None:
    world.add_task()
    world.settle()
    _point_nowhere(world)

    found = [each for each in find(world) if each.kind is Kind.DEAD_LINKS]
    assert [each.task_id for each in found] == ["task-99"]
    assert [each.repair for each in found] == [Repair.FORGET_LINK]
    Mending(world.services, world.organization).repair(found[0])

    assert [each for each in find(world) if each.kind is Kind.DEAD_LINKS] == []
    assert links(world) == []


def test_a_link_whose_records_are_deleted_but_known_points_somewhere(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.remove_task(task["id"])
    world.settle()

    assert find(world) == []
    world.pass_time(timedelta(days=40))
    assert find(world) == []
    world.ann.purge(links(world)[0].event_id or "")
    assert kinds(world) == [Kind.DEAD_LINKS]


def test_a_link_of_another_account_is_out_of_reach(world: World) -> None:
    world.add_task()
    world.settle()
    _point_nowhere(world)
    world.change_connection(google_sub="sub-other")
    sync_everybody(world)

    assert Kind.DEAD_LINKS not in kinds(world)


# -- what cannot be read ----------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2])
def test_a_list_that_breaks_off_leaves_nothing_orphaned(
    world: World, page: int
) -> None:
    for event_id in ("lunch0", "lunch1", "lunch2"):
        world.add_event(event_id, summary=event_id)
    world.settle()
    world.ann.page_size = 1
    fail = world.ann.fail_next
    if page == 1:
        fail(outage(), on="list_events")
    else:
        world.ann.after_next("list_events", lambda: fail(outage(), on="list_events"))

    findings = search.find(world.services, world.organization)

    assert findings.orphans == []
    assert [each.crm_user_id for each in findings.unread] == ["ann"]


@pytest.mark.parametrize("page", [1, 2])
def test_a_crm_that_breaks_off_leaves_nothing_orphaned(world: World, page: int) -> None:
    users = world.crm_side.users
    world.crm_side = fakes.InMemoryCrm(world.clock, users=users, page_size=1)
    for day in range(4, 7):
        world.add_task(title=f"Plan {day}", due_at=f"2026-03-0{day}T10:00:00Z")
    world.settle()
    fail = world.crm_side.fail_next
    if page == 1:
        fail(outage(), on="list_tasks")
    else:
        world.crm_side.after_next("list_tasks", lambda: fail(outage(), on="list_tasks"))

    with pytest.raises(errors.RemoteUnavailableError):
        search.find(world.services, world.organization)


def test_an_event_that_cannot_be_confirmed_gone_is_not_gone(world: World) -> None:
    world.add_event("lunch0")
    world.settle()
    world.ann.remove("lunch0")
    world.ann.fail_next(outage(), on="get_event")

    findings = search.find(world.services, world.organization)

    assert findings.orphans == []
    assert len(findings.unread) == 1


def test_who_is_not_connected_is_not_looked_at(world: World) -> None:
    world.add_event("lunch0")
    world.settle()
    world.ann.remove("lunch0")
    world.change_connection(state=ConnectionState.NEEDS_REAUTHORIZATION)

    assert find(world) == []
    assert world.ann.calls == []


def test_a_broken_event_is_passed_over(world: World) -> None:
    world.ann.create("broken0", start={"dateTime": "soon"})

    assert find(world) == []


def test_a_link_that_is_in_the_making_is_left_alone(world: World) -> None:
    world.add_event("lunch0")
    world.settle()
    with world.store.begin() as work:
        work.links.by_id(world.only_link().id).state = LinkState.PENDING
        work.commit()
    world.ann.remove("lunch0")

    assert find(world) == []
    assert titles(world.crm_side.live_tasks(), "title") == ["Lunch"]
