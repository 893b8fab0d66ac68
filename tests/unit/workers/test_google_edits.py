"""What people do in their calendars appears in the CRM."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store.states import LinkState, Outcome
from shared.domain import errors
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

GUEST = "guest@x.example"


def _timed(start: str, end: str) -> dict[str, Any]:
    return {
        "start": {"dateTime": start, "timeZone": "UTC"},
        "end": {"dateTime": end, "timeZone": "UTC"},
    }


def test_a_new_event_becomes_a_task_of_its_calendars_user(world: World) -> None:
    times = _timed("2026-03-04T09:00:00Z", "2026-03-04T09:45:00Z")
    guests = [{"email": GUEST, "displayName": "Guest", "responseStatus": "accepted"}]

    world.add_event(name="ben", location="Room 2", attendees=guests, **times)
    world.settle()

    task = world.only_task()
    wanted = {
        "type": "Meeting",
        "title": "Lunch",
        "location": "Room 2",
        "owner_id": "ben",
        "status": "open",
        "due_at": "2026-03-04T09:00:00+00:00",
        "duration_minutes": 45,
        "google_event_id": "fromgoogle",
        "google_calendar_id": "ben@gmail.com",
    }
    assert {name: task[name] for name in wanted} == wanted
    assert task["attendees"] == [
        {"email": GUEST, "name": "Guest", "response": "accepted"}
    ]


def test_an_imported_event_is_not_written_because_of_that(world: World) -> None:
    world.add_event()

    world.settle()

    assert world.ann.calls == ["list_events"]
    assert "extendedProperties" not in world.only_event()


def test_an_imported_event_gets_its_tag_with_the_first_edit_in_the_crm(
    world: World,
) -> None:
    world.add_event()
    world.settle()
    task = world.only_task()

    world.edit_task(task["id"], title="Long lunch")
    world.settle()

    event = world.only_event()
    assert event["summary"] == "Long lunch"
    assert event["extendedProperties"]["private"]["crmTaskId"] == task["id"]


def test_an_event_that_was_dragged_moves_its_task(world: World) -> None:
    task = world.add_task()
    world.settle()
    times = _timed("2026-03-06T14:00:00Z", "2026-03-06T15:30:00Z")

    world.edit_event(world.only_event()["id"], **times)
    world.settle()

    moved = world.crm_side.task(task["id"])
    assert moved["due_at"] == "2026-03-06T14:00:00+00:00"
    assert moved["duration_minutes"] == 90
    assert world.last_item().reason == Reason.EVENT_EDITED


def test_a_task_that_follows_says_which_event_it_belongs_to(world: World) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]

    world.edit_event(event_id, summary="Plan B")
    world.settle()

    moved = world.crm_side.task(task["id"])
    assert moved["google_event_id"] == event_id
    assert moved["google_calendar_id"] == "ann@gmail.com"


def test_guests_appear_under_the_address_that_the_crm_knows(world: World) -> None:
    task = world.add_task()
    world.settle()
    rows = [
        {"email": "ben@gmail.com"},
        {"email": "ann@gmail.com", "self": True, "organizer": True},
    ]

    world.edit_event(world.only_event()["id"], attendees=rows)
    world.settle()

    guests = world.crm_side.task(task["id"])["attendees"]
    assert [row["email"] for row in guests] == ["ben@example.com"]


@pytest.mark.parametrize(
    ("answer", "response"),
    [("accepted", "accepted"), ("declined", "declined"), ("tentative", "tentative")],
)
def test_an_answer_of_a_guest_goes_to_the_crm_and_nowhere_else(
    world: World, answer: str, response: str
) -> None:
    task = world.add_task(attendees=[{"email": GUEST}])
    world.settle()
    rows = [{"email": GUEST, "responseStatus": answer}]
    world.forget_calls()

    world.edit_event(world.only_event()["id"], attendees=rows)
    world.settle()
    world.task_changed(world.crm_side.task(task["id"]))
    world.settle()

    assert world.crm_side.task(task["id"])["attendees"][0]["response"] == response
    assert world.ann.calls == ["list_events"]
    assert world.crm_side.calls == ["update_task"]


def test_an_answer_together_with_an_edit_in_the_crm_is_no_conflict(
    world: World,
) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task(attendees=[{"email": GUEST}])
    world.settle()
    event_id = world.only_event()["id"]

    world.edit_task(task["id"], title="Plan B")
    world.edit_event(
        event_id, attendees=[{"email": GUEST, "responseStatus": "accepted"}]
    )
    world.settle()

    assert world.conflicts() == []
    assert world.only_event()["summary"] == "Plan B"
    assert world.only_task()["title"] == "Plan B"
    assert world.only_task()["attendees"][0]["response"] == "accepted"


def test_a_reminder_changes_nothing_in_the_crm(world: World) -> None:
    world.add_task()
    world.settle()
    world.forget_calls()

    world.edit_event(world.only_event()["id"], reminders={"useDefault": True})
    world.settle()

    assert world.crm_side.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.UNCHANGED, Reason.UNCHANGED)


def test_a_deleted_event_cancels_its_task_and_never_deletes_it(world: World) -> None:
    task = world.add_task()
    world.settle()

    world.remove_event(world.only_event()["id"])
    world.settle()

    after = world.crm_side.task(task["id"])
    assert (after["status"], after["deleted"]) == ("cancelled", False)
    assert world.last_item().reason == Reason.EVENT_CANCELLED


def test_a_restored_event_reopens_its_task(world: World) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]
    world.remove_event(event_id)
    world.settle()

    world.edit_event(event_id, status="confirmed", summary="After all")
    world.settle()

    after = world.crm_side.task(task["id"])
    assert (after["status"], after["title"]) == ("open", "After all")
    assert world.last_item().reason == Reason.EVENT_RESTORED


def test_a_restored_event_of_a_deleted_task_gets_another_task(world: World) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]
    world.remove_task(task["id"])
    world.settle()

    world.edit_event(event_id, status="confirmed")
    world.settle()

    after = world.only_task()
    assert after["id"] != task["id"]
    assert after["google_event_id"] == event_id
    assert world.only_link().state == LinkState.ACTIVE
    assert world.only_event()["id"] == event_id


def test_an_event_that_appears_and_disappears_leaves_no_task(world: World) -> None:
    world.add_event()
    world.remove_event("fromgoogle")

    world.settle()

    assert world.crm_side.calls == []
    assert set(world.reasons()) == {Reason.NOTHING_TO_CANCEL}


def test_an_answer_that_the_crm_did_not_take_is_written_later(world: World) -> None:
    world.add_event(attendees=[{"email": GUEST}])
    world.settle()
    world.crm_side.fail_next(errors.RemoteUnavailableError(), on="update_task")

    answered = [{"email": GUEST, "responseStatus": "accepted"}]
    world.edit_event("fromgoogle", attendees=answered)
    world.settle(patience=timedelta(seconds=20))

    assert [a["response"] for a in world.only_task()["attendees"]] == ["accepted"]
