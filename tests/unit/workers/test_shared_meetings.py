"""A meeting of several connected users: one task, and the organizer's copy leads."""

from typing import Any

from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

ANN = {"email": "ann@gmail.com", "responseStatus": "accepted"}
BEN = {"email": "ben@gmail.com", "responseStatus": "needsAction"}


def _share(world: World, organizer: str = "ann@gmail.com") -> None:
    """Put the meeting on both calendars, as Google does with invitations."""
    for name in ("ben", "ann"):
        address = f"{name}@gmail.com"
        rows: list[dict[str, Any]] = [
            {
                **row,
                **({"self": True} if row["email"] == address else {}),
                **({"organizer": True} if row["email"] == organizer else {}),
            }
            for row in (ANN, BEN)
        ]
        who = {"email": organizer, **({"self": True} if organizer == address else {})}
        world.add_event("shared", name, organizer=who, attendees=rows)


def test_the_organizers_copy_becomes_the_one_task(world: World) -> None:
    _share(world)

    world.settle()

    task = world.only_task()
    assert task["owner_id"] == "ann"
    assert [row["email"] for row in task["attendees"]] == ["ben@example.com"]
    assert Reason.ANOTHER_COPY_LEADS in world.reasons()


def test_of_an_unknown_organizers_meeting_the_first_copy_leads(world: World) -> None:
    _share(world, organizer="stranger@x.example")

    world.settle()

    assert world.only_task()["owner_id"] == "ben"
    assert Reason.ANOTHER_COPY_LEADS in world.reasons()


def test_an_edit_of_the_organizers_copy_reaches_the_task_once(world: World) -> None:
    _share(world)
    world.settle()
    world.forget_calls()

    for name in ("ann", "ben"):
        world.edit_event("shared", name, summary="Long lunch")
    world.settle()

    assert world.only_task()["title"] == "Long lunch"
    assert world.crm_side.calls == ["update_task"]


def test_an_edit_in_the_crm_is_written_to_the_organizers_copy_only(
    world: World,
) -> None:
    _share(world)
    world.settle()
    world.forget_calls()

    world.edit_task(world.only_task()["id"], title="Long lunch")
    world.settle()

    assert world.ann.calls == ["patch_event"]
    assert world.ben.calls == []


def test_cancelling_it_without_mail_removes_the_guests_copies_too(
    world: World,
) -> None:
    _share(world)
    world.settle()
    world.forget_calls()

    world.edit_task(world.only_task()["id"], status="cancelled")
    world.settle()

    assert world.ann.live_events() == []
    assert world.ben.live_events() == []
    assert world.ben.sent_updates == ["none"]


def test_a_guests_copy_that_appears_after_that_is_removed_when_it_is_seen(
    world: World,
) -> None:
    world.add_event("shared", attendees=[BEN])
    world.settle()
    world.edit_task(world.only_task()["id"], status="cancelled")
    world.settle()

    organizer = {"email": "ann@gmail.com"}
    world.add_event("shared", "ben", organizer=organizer, attendees=[BEN])
    world.settle()

    assert world.ben.live_events() == []
    assert world.only_task()["status"] == "cancelled"


def test_a_guest_who_removes_a_copy_cancels_nothing(world: World) -> None:
    _share(world)
    world.settle()

    world.remove_event("shared", "ben")
    world.settle()

    assert world.only_task()["status"] == "open"
    assert len(world.ann.live_events()) == 1


def test_a_guest_whose_copy_leads_removes_nobody_elses(world: World) -> None:
    _share(world, organizer="stranger@x.example")
    world.settle()

    world.remove_event("shared", "ben")
    world.settle()

    assert len(world.ann.live_events()) == 1


def test_a_guests_copy_that_a_repair_lists_changes_nothing(world: World) -> None:
    _share(world)
    world.settle()
    world.forget_calls()

    world.sync_all(world.connection("ben").id, Trigger.REPAIR)

    assert len(world.crm_side.live_tasks()) == 1
    assert "update_task" not in world.crm_side.calls


def test_a_guest_who_connects_later_adds_no_task(world: World) -> None:
    organizer = {"email": "ann@gmail.com"}
    world.add_event("shared", "ann")
    world.settle()
    world.accounts["cleo"].create("shared", summary="Lunch", organizer=organizer)

    world.connect("cleo")

    assert world.only_task()["owner_id"] == "ann"
