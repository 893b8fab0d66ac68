"""A lost table of links is restored from what both sides say, without a write."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors
from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.losing import (
    essence,
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
from tests.unit.workers.machinery import Database, Outside
from tests.unit.workers.series import FIRST, THIRD, add_series, occurrence, task_at
from tests.unit.workers.world import World
from workers.claims import FoundBy

GUEST = {"email": "guest@x.example", "responseStatus": "accepted"}


@pytest.fixture
def lived_in(database: Database) -> World:
    """Return a world in which Ann and Ben have lived with the product for a while."""
    world = World(database.begin_anew(), Outside.simulated(time_zone="Europe/Berlin"))
    world.connect("ann")
    world.connect("ben")
    _made_in_the_crm(world)
    _imported(world)
    _over(world)
    _out_of_use(world)
    add_series(world)
    world.edit_event(occurrence(THIRD), summary="Demo day")
    world.edit_task(task_at(world, FIRST)["id"], location="Room 1")
    world.settle()
    # What the last of its writes made, it has seen by then.
    world.poll()
    assert all(link.state != LinkState.PENDING for link in links(world))
    assert world.dead_letters() == []
    world.forget_calls()
    return world


def _made_in_the_crm(world: World) -> None:
    world.add_task(title="Plan", attendees=[{"email": "guest@x.example"}])
    moved = world.add_task(title="Moved", due_at="2026-03-04T10:00:00Z")
    world.add_task(title="Past", due_at="2025-06-04T10:00:00Z")
    world.settle()
    world.edit_task(moved["id"], owner_id="ben")
    world.settle()


def _imported(world: World) -> None:
    world.add_event("lunch0", summary="Lunch", attendees=[GUEST], **times("2026-03-05"))
    world.add_event("revue0", summary="Review", **times("2026-03-06"))
    shared = [{"email": "ann@gmail.com"}, {"email": "ben@gmail.com"}]
    world.add_event(
        "shared0", summary="Shared", attendees=shared, **times("2026-03-07")
    )
    world.add_event("private0", visibility="private", **times("2026-03-08"))
    world.calendar_changed("ben")
    world.settle()
    # The first write with another reason puts our tag on it.
    world.edit_task(_task(world, "Review")["id"], title="Review again")
    world.settle()


def _over(world: World) -> None:
    cancelled = world.add_task(title="Cancelled", due_at="2026-03-09T10:00:00Z")
    deleted = world.add_task(title="Deleted", due_at="2026-03-10T10:00:00Z")
    world.add_event("called0ff", summary="Called off", **times("2026-03-11"))
    world.settle()
    world.edit_task(cancelled["id"], status="cancelled")
    world.remove_task(deleted["id"])
    world.accounts["ann"].remove("called0ff")
    world.calendar_changed("ann")
    world.settle()


def _out_of_use(world: World) -> None:
    call = world.add_task(title="Call", due_at="2026-03-12T10:00:00Z")
    world.add_event("chat0", summary="Chat", **times("2026-03-13"))
    world.settle()
    for task_id in (call["id"], _task(world, "Chat")["id"]):
        world.edit_task(task_id, type="Call")
    world.settle()


def _task(world: World, title: str) -> dict[str, Any]:
    (found,) = [t for t in world.crm_side.live_tasks() if t["title"] == title]
    return dict(found)


def _sides(world: World) -> tuple[object, ...]:
    """Return all that the users of both sides see."""
    calendars = [account.live_events() for account in world.accounts.values()]
    return world.crm_side.live_tasks(), calendars


# -- nothing is written -----------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("copies", "conflicts")])
def test_a_lost_table_is_restored_without_a_write(
    lived_in: World, more: tuple[str, ...]
) -> None:
    before = _sides(lived_in)
    lose_links(lived_in, *more)

    report = rebuild(lived_in)
    assert writes(lived_in) == []
    sync_everybody(lived_in)

    assert writes(lived_in) == []
    assert _sides(lived_in) == before
    assert report.unread == []
    assert all(each.is_equal for each in report.made)
    assert lived_in.dead_letters() == []


def test_the_links_of_what_takes_place_are_the_same_as_before(lived_in: World) -> None:
    tasks = {task["id"]: task for task in lived_in.crm_side.live_tasks()}
    before = {
        link.task_id: essence(link)
        for link in links(lived_in)
        if link.task_id in tasks
        and tasks[link.task_id]["status"] == "open"
        and tasks[link.task_id]["type"] == "Meeting"
    }
    lose_links(lived_in)

    rebuild(lived_in)

    after = {link.task_id: essence(link) for link in links(lived_in)}
    assert len(before) > 15
    assert {task_id: after[task_id] for task_id in before} == before


def test_a_table_that_is_whole_stays_as_it_is(lived_in: World) -> None:
    before = [essence(link) for link in links(lived_in)]

    report = rebuild(lived_in)

    assert report.made == []
    assert report.kept == len(before)
    assert [essence(link) for link in links(lived_in)] == before


def test_twice_is_as_good_as_once(lived_in: World) -> None:
    lose_links(lived_in)
    rebuild(lived_in)
    before = [essence(link) for link in links(lived_in)]

    report = rebuild(lived_in)

    assert report.made == []
    assert [essence(link) for link in links(lived_in)] == before


def test_only_what_is_missing_is_added(lived_in: World) -> None:
    task_id = _task(lived_in, "Plan")["id"]
    lose_link(lived_in, task_id)

    report = rebuild(lived_in)

    assert [each.task_id for each in report.made] == [task_id]


# -- life goes on -----------------------------------------------------------------


def test_edits_of_either_side_are_followed_afterwards(lived_in: World) -> None:
    lose_links(lived_in)
    rebuild(lived_in)

    for title in ("Plan", "Lunch", "Shared"):
        lived_in.edit_task(_task(lived_in, title)["id"], title=f"{title} B")
    lived_in.settle()
    lived_in.edit_event("lunch0", location="Kantine")
    lived_in.edit_event(occurrence(THIRD), summary="Demo again")
    lived_in.settle()

    assert {"Plan B", "Lunch B", "Shared B"} <= {
        event["summary"] for event in lived_in.ann.live_events()
    }
    assert _task(lived_in, "Lunch B")["location"] == "Kantine"
    assert task_at(lived_in, THIRD)["title"] == "Demo again"
    assert "insert_event" not in lived_in.ann.calls
    assert "create_task" not in lived_in.crm_side.calls


def test_a_moved_event_that_moves_back_gets_an_id_of_its_own(lived_in: World) -> None:
    lose_links(lived_in)
    rebuild(lived_in)

    lived_in.edit_task(_task(lived_in, "Moved")["id"], owner_id="ann")
    lived_in.settle()

    assert "Moved" in titles(lived_in.ann.live_events(), "summary")
    assert "Moved" not in titles(lived_in.ben.live_events(), "summary")
    assert lived_in.dead_letters() == []


def test_what_was_cancelled_is_revived_under_its_old_id(lived_in: World) -> None:
    (former,) = [e for e in lived_in.ann.bin() if e["summary"] == "Cancelled"]
    lose_links(lived_in)
    rebuild(lived_in)

    lived_in.edit_task(_task(lived_in, "Cancelled")["id"], status="open")
    lived_in.settle()

    (event,) = [e for e in lived_in.ann.live_events() if e["summary"] == "Cancelled"]
    assert event["id"] == former["id"]


def test_an_imported_event_is_not_ours_to_remove_afterwards(lived_in: World) -> None:
    lose_links(lived_in)
    rebuild(lived_in)

    for title in ("Review again", "Lunch", "Plan"):
        lived_in.edit_task(_task(lived_in, title)["id"], type="Call")
    lived_in.settle()

    left = titles(lived_in.ann.live_events(), "summary")
    assert {"Review again", "Lunch"} <= set(left)
    assert "Plan" not in left


def test_the_id_of_a_lost_link_is_never_used_again(world: World) -> None:
    # A copy names it still, and would join a stranger's meeting.
    first = world.add_task(title="First")
    world.settle()
    lose_links(world)

    world.add_task(title="Second", due_at="2026-03-05T10:00:00Z")
    world.settle()
    rebuild(world)
    world.edit_task(first["id"], owner_id="ben")
    world.settle()

    assert titles(world.ann.live_events(), "summary") == ["Second"]
    assert titles(world.ben.live_events(), "summary") == ["First"]


# -- what has become different meanwhile ------------------------------------------


def test_of_sides_that_differ_the_later_edit_wins_once_they_are_looked_at(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    lose_links(world)
    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Plan B")

    report = rebuild(world)
    assert [each.is_equal for each in report.made] == [False]
    sync_everybody(world)

    assert world.crm_side.task(task["id"])["title"] == "Plan B"
    assert len(world.ann.live_events()) == 1


def test_the_timers_look_at_what_was_restored_by_themselves(world: World) -> None:
    task = world.add_task()
    world.settle()
    # So that no poll is due soon, which would find it as well.
    world.poll()
    lose_links(world)
    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Plan B")
    rebuild(world)

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    assert world.crm_side.task(task["id"])["title"] == "Plan B"


def test_a_guests_answer_that_nobody_saw_reaches_the_task(world: World) -> None:
    world.add_event("lunch0", attendees=[{"email": "guest@x.example"}])
    world.settle()
    lose_links(world)
    world.ann.edit("lunch0", attendees=[GUEST])

    rebuild(world)
    sync_everybody(world)

    assert world.only_task()["attendees"][0]["response"] == "accepted"


def test_a_task_deleted_meanwhile_takes_its_event_along(world: World) -> None:
    task = world.add_task()
    world.settle()
    lose_links(world)
    world.pass_time()
    world.crm_side.remove(task["id"])

    rebuild(world)
    sync_everybody(world)

    assert world.ann.live_events() == []
    assert world.crm_side.live_tasks() == []


def test_an_owner_who_changed_meanwhile_gets_the_event(world: World) -> None:
    task = world.add_task()
    world.settle()
    lose_links(world)
    world.crm_side.edit(task["id"], owner_id="ben")

    rebuild(world)
    sync_everybody(world)

    assert world.ann.live_events() == []
    assert world.only_event("ben")["summary"] == "Plan"


def test_a_task_made_anew_for_its_event_is_not_made_under_a_spent_key(
    world: World,
) -> None:
    world.settings(conflict_policy="google_wins")
    world.add_event("lunch0")
    world.settle()
    for title in ("Lunch again", "And again"):
        world.crm_side.remove(world.only_task()["id"])
        world.edit_event("lunch0", summary=title)
        world.poll()
        lose_links(world)
        rebuild(world)

    world.crm_side.remove(world.only_task()["id"])
    world.edit_event("lunch0", summary="Once more")
    world.poll()

    assert world.only_task()["title"] == "Once more"
    assert world.dead_letters() == []


def test_an_open_conflict_whose_link_is_lost_has_nothing_to_settle(
    world: World,
) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.edit_task(task["id"], title="Plan A")
    world.ann.edit(world.only_event()["id"], summary="Plan B")
    world.settle()
    assert [each.state for each in world.conflicts()] == ["open"]
    lose_links(world)

    rebuild(world)
    sync_everybody(world)

    assert [each.state for each in world.conflicts()] == ["resolved", "open"]
    assert world.last_item().reason == Reason.CONFLICT_FLAGGED


# -- whose event it is ------------------------------------------------------------


def test_a_guests_copy_joins_and_does_not_lead(lived_in: World) -> None:
    lose_links(lived_in, "copies", "conflicts")
    rebuild(lived_in)

    shared = _task(lived_in, "Shared")
    with lived_in.store.read() as work:
        link = work.links.of_task(lived_in.organization.id, shared["id"])
        assert link is not None
        joined = work.copies.of_link(link.id)
    assert link.calendar_id == lived_in.calendar("ann").id
    assert {each.calendar_id for each in joined} == {
        lived_in.calendar(name).id for name in ("ann", "ben")
    }


def test_what_somebody_copied_in_google_does_not_take_the_task(world: World) -> None:
    task = world.add_task()
    world.settle()
    event = world.only_event()
    tag = event["extendedProperties"]
    world.ann.create("copied0", summary="Plan", extendedProperties=tag)
    lose_links(world)

    rebuild(world)

    assert world.only_link().event_id == event["id"]
    assert world.only_link().task_id == task["id"]


def test_a_task_that_forgot_its_event_is_found_by_the_events_tag(world: World) -> None:
    task = world.add_task()
    world.settle()
    event = world.only_event()
    world.crm_side.edit(task["id"], google_event_id=None, google_calendar_id=None)
    lose_links(world)

    report = rebuild(world)

    assert [each.found_by for each in report.made] == [FoundBy.EVENT]
    assert world.only_link().event_id == event["id"]
    world.forget_calls()
    sync_everybody(world)
    assert writes(world) == []


def test_where_neither_names_the_other_their_look_tells(world: World) -> None:
    world.add_event("lunch0", **times("2026-03-05"))
    world.settle()
    task = world.only_task()
    world.crm_side.edit(task["id"], google_event_id=None, google_calendar_id=None)
    lose_links(world)

    report = rebuild(world)

    (made,) = report.made
    assert (made.found_by, made.task_id) == (FoundBy.LIKENESS, task["id"])
    world.forget_calls()
    sync_everybody(world)
    assert writes(world) == []


def test_a_guests_copy_is_no_guess_while_the_organizers_may_lead(
    world: World,
) -> None:
    # Ann's own calendar cannot be read just now.
    organizer = {"email": "ann@gmail.com"}
    world.ben.create(
        "shared0", summary="Lunch", organizer=organizer, **times("2026-03-05")
    )
    world.crm_side.add(title="Lunch", owner_id="ben", due_at="2026-03-05T10:00:00Z")

    assert rebuild(world).made == []


def test_two_that_look_alike_are_not_guessed_at(world: World) -> None:
    for event_id in ("lunch0", "lunch1"):
        world.add_event(event_id, **times("2026-03-05"))
    world.settle()
    for task in world.crm_side.live_tasks():
        world.crm_side.edit(task["id"], google_event_id=None)
    lose_links(world)

    assert rebuild(world).made == []


def test_an_event_left_behind_by_a_crash_joins_and_is_cleared_away(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    left = world.only_event()
    world.edit_task(task["id"], owner_id="ben")
    world.settle()
    # As if the worker had died between making the one and removing the other.
    world.ann.edit(left["id"], status="confirmed")
    moved = world.only_event("ben")
    lose_links(world, "copies")

    rebuild(world)
    assert world.only_link().event_id == moved["id"]
    sync_everybody(world)

    assert world.ann.live_events() == []
    assert world.only_task()["id"] == task["id"]
    assert len(world.ben.live_events()) == 1


def test_an_event_in_a_calendar_that_is_no_longer_synced_stays_there(
    world: World,
) -> None:
    world.add_event("lunch0")
    world.settle()
    world.ann.add_calendar("team@x.example")
    world.sync_all(world.connection().id, Trigger.REPAIR)
    with world.store.begin() as work:
        connection = world.connection()
        team = work.calendars.of(connection.id, "sub-ann", "team@x.example")
        assert team is not None
        work.calendars.select(team)
        work.commit()
    world.sync_all(world.connection().id, Trigger.REPAIR)
    assert world.only_link().state == LinkState.DETACHED
    lose_links(world)
    world.forget_calls()

    rebuild(world)
    sync_everybody(world)

    assert world.only_link().state == LinkState.DETACHED
    assert writes(world) == []


def test_an_occurrence_that_has_left_the_window_stays_out_of_use(
    simulated: World,
) -> None:
    add_series(simulated)
    first = task_at(simulated, FIRST)
    for _ in range(32):
        simulated.pass_time(timedelta(days=1))
        simulated.periodic.round()
        simulated.settle()
    lose_links(simulated)
    simulated.forget_calls()

    rebuild(simulated)
    sync_everybody(simulated)

    states = {link.task_id: link.state for link in links(simulated)}
    assert states[first["id"]] == LinkState.DETACHED
    assert writes(simulated) == []


def test_a_copy_that_took_over_leads_on_for_the_tasks_owner(simulated: World) -> None:
    simulated.connect("ben")
    guests = [{"email": "ben@gmail.com"}]
    simulated.add_event("shared0", attendees=guests, **times("2026-03-07"))
    simulated.settle()
    simulated.change_connection("ann", state=ConnectionState.DISCONNECTED)
    lose_links(simulated)
    simulated.forget_calls()

    rebuild(simulated)
    sync_everybody(simulated)

    link = simulated.only_link()
    assert link.state == LinkState.ACTIVE
    assert link.calendar_id == simulated.calendar("ben").id
    assert simulated.only_task()["owner_id"] == "ann"
    assert writes(simulated) == []


# -- what cannot be read ----------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2])
def test_a_list_that_breaks_off_is_told_and_the_others_go_on(
    world: World, page: int
) -> None:
    anns = world.add_task(title="Anns")
    bens = world.add_task(title="Bens", owner_id="ben")
    world.settle()
    lose_links(world)
    for name in ("ann", "ben"):
        world.accounts[name].create("other0", **times("2026-03-20"))
        world.accounts[name].page_size = 1
    fail = world.ann.fail_next
    if page == 1:
        fail(outage(), on="list_events")
    else:
        world.ann.after_next("list_events", lambda: fail(outage(), on="list_events"))

    report = rebuild(world)

    assert [each.crm_user_id for each in report.unread] == ["ann"]
    assert [each.task_id for each in report.made] == [bens["id"]]
    again = rebuild(world)
    assert again.unread == []
    assert [each.task_id for each in again.made] == [anns["id"]]


def test_a_crm_that_does_not_answer_is_no_empty_crm(world: World) -> None:
    world.add_task()
    world.settle()
    lose_links(world)
    world.crm_side.fail_next(outage(), on="list_tasks")

    with pytest.raises(errors.RemoteUnavailableError):
        rebuild(world)

    assert links(world) == []


def test_a_task_or_an_event_that_cannot_be_read_holds_up_no_other(
    world: World,
) -> None:
    task = world.add_task()
    world.add_event("broken0", start={"dateTime": "soon"})
    world.crm_side.add(owner_id="ann", due_at="9999-12-31T23:59:00Z")
    world.settle()
    lose_links(world)

    report = rebuild(world)

    assert [each.task_id for each in report.made] == [task["id"]]


def test_a_worker_that_links_the_record_meanwhile_is_not_overruled(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    link = world.only_link()
    lose_links(world)

    def restore() -> None:
        with world.store.begin() as work:
            work.links.add(
                tables.Link(
                    organization_id=link.organization_id,
                    task_id=task["id"],
                    calendar_id=link.calendar_id,
                    event_id=link.event_id,
                    ical_uid=link.ical_uid,
                    original_start="",
                    origin=link.origin,
                    created_at=link.created_at,
                    updated_at=link.updated_at,
                )
            )
            work.commit()

    world.ann.after_next("list_events", restore)

    assert rebuild(world).made == []
    assert len(links(world)) == 1
