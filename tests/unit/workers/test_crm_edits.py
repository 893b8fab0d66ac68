"""What people do in the CRM appears in the owner's calendar."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import LinkState, Outcome
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

GUEST = "guest@x.example"


def test_a_new_date_moves_the_event(world: World) -> None:
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], due_at="2026-03-05T08:15:00Z", duration_minutes=45)
    world.settle()

    event = world.only_event()
    assert event["start"]["dateTime"] == "2026-03-05T08:15:00+00:00"
    assert event["end"]["dateTime"] == "2026-03-05T09:00:00+00:00"


def test_a_task_without_duration_lasts_as_long_as_its_type_does(world: World) -> None:
    world.add_task(duration_minutes=None)

    world.settle()

    event = world.only_event()
    assert event["end"]["dateTime"] == "2026-03-03T11:00:00+00:00"


def test_guests_are_invited_under_the_address_that_google_knows(world: World) -> None:
    task = world.add_task()
    world.settle()
    guests = [{"email": GUEST, "name": "Guest"}, {"email": "ben@example.com"}]

    world.edit_task(task["id"], attendees=guests)
    world.settle()

    emails = [row["email"] for row in world.only_event()["attendees"]]
    assert sorted(emails) == ["ben@gmail.com", GUEST]


def test_an_uninvited_guest_leaves_the_others_as_they_are(world: World) -> None:
    task = world.add_task(attendees=[{"email": GUEST}, {"email": "other@x.example"}])
    world.settle()
    rows = [
        {"email": GUEST, "responseStatus": "accepted", "comment": "Yes!"},
        {"email": "other@x.example"},
    ]
    world.edit_event(world.only_event()["id"], attendees=rows)
    world.settle()

    world.edit_task(task["id"], attendees=[{"email": GUEST, "response": "accepted"}])
    world.settle()

    assert world.only_event()["attendees"] == rows[:1]


def test_completing_and_reopening_leave_the_calendar_alone(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], status="completed")
    world.edit_task(task["id"], status="open")
    world.settle()

    assert world.ann.calls == []
    assert world.reasons()[-2:] == [Reason.UNCHANGED, Reason.ECHO]


def test_an_edit_of_a_completed_task_follows_all_the_same(world: World) -> None:
    task = world.add_task(status="completed")
    world.settle()

    world.edit_task(task["id"], title="Minutes")
    world.settle()

    assert world.only_event()["summary"] == "Minutes"
    assert world.only_task()["status"] == "completed"


def test_a_cancelled_task_cancels_its_event(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], status="cancelled")
    world.settle()

    assert world.ann.live_events() == []
    assert world.ann.calls == ["delete_event"]
    assert world.last_item().reason == Reason.TASK_CANCELLED


def test_a_deleted_task_cancels_its_event(world: World) -> None:
    task = world.add_task()
    world.settle()

    world.remove_task(task["id"])
    world.settle()

    assert world.ann.live_events() == []
    assert world.last_item().reason == Reason.TASK_DELETED


def test_a_task_that_the_crm_forgot_cancels_its_event(world: World) -> None:
    task = world.add_task()
    world.settle()

    world.remove_task(task["id"])
    world.pass_time(timedelta(days=40))
    world.settle()

    assert world.ann.live_events() == []


def test_a_reopened_task_revives_its_event(world: World) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]
    world.edit_task(task["id"], status="cancelled")
    world.settle()

    world.edit_task(task["id"], status="open", title="Plan again")
    world.settle()

    event = world.only_event()
    assert (event["id"], event["summary"]) == (event_id, "Plan again")
    assert world.last_item().reason == Reason.TASK_REOPENED


def test_a_reopened_task_gets_another_event_when_google_forgot_the_first(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]
    world.edit_task(task["id"], status="cancelled")
    world.settle()
    world.ann.purge(event_id)

    world.edit_task(task["id"], status="open")
    world.settle()

    assert world.only_event()["id"] != event_id
    assert world.only_link().generation == 1


def test_a_task_that_was_cancelled_from_the_start_gets_no_event(world: World) -> None:
    world.add_task(status="cancelled")

    world.settle()

    assert world.ann.calls == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.SKIPPED, Reason.NOTHING_TO_CANCEL)


def test_a_task_that_is_deleted_before_we_look_gets_no_event(world: World) -> None:
    task = world.add_task()
    world.remove_task(task["id"])

    world.settle()

    assert world.ann.calls == []
    assert set(world.reasons()) == {Reason.NOTHING_TO_CANCEL}


@pytest.mark.parametrize("field", ["description", "location"])
def test_a_text_that_is_emptied_is_emptied_in_google(world: World, field: str) -> None:
    task = world.add_task(**{field: "Something"})
    world.settle()

    world.edit_task(task["id"], **{field: None})
    world.settle()

    assert world.only_event().get(field, "") == ""


def test_every_task_has_a_link_of_its_own(world: World) -> None:
    world.add_task(title="One")
    world.add_task(title="Two")

    world.settle()

    titles = sorted(event["summary"] for event in world.ann.live_events())
    assert titles == ["One", "Two"]
    with world.store.read() as work:
        links = work.links.live_of_calendar(world.calendar().id)
    assert {link.state for link in links} == {LinkState.ACTIVE}
    assert len({link.event_id for link in links}) == 2
