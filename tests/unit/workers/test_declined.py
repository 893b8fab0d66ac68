"""Who declines a meeting takes its task out, unless another connected user comes."""

from typing import Any

import pytest

from shared.domain.reasons import Reason
from tests.unit.workers.world import World

STRANGER = "stranger@x.example"
NAMES = ("ann", "ben")


def _guests(own: str, **answers: str) -> list[dict[str, Any]]:
    """Return the guests as they stand on somebody's copy."""
    return [
        {
            "email": f"{name}@gmail.com",
            "responseStatus": answers.get(name, "accepted"),
            **({"self": True} if name == own else {}),
        }
        for name in NAMES
    ]


def _invite(world: World, *names: str, organizer: str = STRANGER) -> None:
    """Put the meeting on the calendars of those who are named."""
    for name in names:
        guests = _guests(name)
        who = {"email": organizer, "self": organizer == f"{name}@gmail.com"}
        world.add_event("shared", name, organizer=who, attendees=guests)
        world.settle()
    world.forget_calls()


def _answer(world: World, *names: str, **answers: str) -> None:
    """Let the answers arrive on the copies of those who are named."""
    for name in names:
        world.edit_event("shared", name, attendees=_guests(name, **answers))
        world.settle()


def _writes(world: World) -> list[str]:
    """Return what was asked of both accounts, besides the pulls."""
    calls = [*world.ann.calls, *world.ben.calls]
    return [call for call in calls if call != "list_events"]


def test_declining_cancels_the_task_and_writes_nothing_to_google(world: World) -> None:
    _invite(world, "ann")

    _answer(world, "ann", ann="declined")

    assert world.only_task()["status"] == "cancelled"
    assert world.last_item().reason == Reason.DECLINED
    assert _writes(world) == []


def test_the_task_stays_while_another_connected_user_comes(world: World) -> None:
    _invite(world, "ann", "ben")

    _answer(world, "ann", "ben", ann="declined")

    assert world.only_task()["status"] == "open"


def test_the_last_connected_user_who_declines_cancels_the_task(world: World) -> None:
    _invite(world, "ann", "ben")
    _answer(world, "ann", "ben", ann="declined")

    _answer(world, "ann", "ben", ann="declined", ben="declined")

    assert world.only_task()["status"] == "cancelled"
    assert _writes(world) == []


def test_accepting_after_all_reopens_the_task(world: World) -> None:
    _invite(world, "ann")
    _answer(world, "ann", ann="declined")

    _answer(world, "ann", ann="accepted")

    assert world.only_task()["status"] == "open"


def test_another_users_second_thoughts_reopen_the_task(world: World) -> None:
    _invite(world, "ann", "ben")
    _answer(world, "ann", "ben", ann="declined", ben="declined")

    _answer(world, "ben", ann="declined", ben="accepted")

    assert world.only_task()["status"] == "open"


def test_an_organizer_who_declines_leaves_the_guests_copies(world: World) -> None:
    _invite(world, "ann", "ben", organizer="ann@gmail.com")

    _answer(world, "ann", "ben", ann="declined", ben="declined")

    assert world.only_task()["status"] == "cancelled"
    assert len(world.ben.live_events()) == 1
    assert len(world.ann.live_events()) == 1


def test_reopening_a_declined_meetings_task_is_taken_back(world: World) -> None:
    _invite(world, "ann")
    _answer(world, "ann", ann="declined")

    world.edit_task(world.only_task()["id"], status="open")
    world.settle()

    assert world.only_task()["status"] == "cancelled"
    assert _writes(world) == []


def test_a_disconnected_user_does_not_keep_the_task(world: World) -> None:
    _invite(world, "ann", "ben")
    world.change_connection("ben", state="disconnected")

    _answer(world, "ann", ann="declined")

    assert world.only_task()["status"] == "cancelled"


@pytest.mark.parametrize("order", [("ann", "ben"), ("ben", "ann")])
def test_an_organizer_who_never_came_leaves_the_task_to_a_guest(
    world: World, order: tuple[str, str]
) -> None:
    _share_declined(world, *order)

    world.settle()

    assert world.only_task()["owner_id"] == "ben"
    assert world.crm_side.calls.count("create_task") == 1


def test_an_organizer_who_comes_after_all_leads_the_guests_task(world: World) -> None:
    _share_declined(world, "ben", "ann")
    world.settle()

    _answer(world, "ann", "ben")

    assert world.only_task()["owner_id"] == "ben"
    assert world.only_link().calendar_id == world.calendar("ann").id


def _share_declined(world: World, *names: str) -> None:
    """Put Ann's meeting, which she has declined, on both calendars."""
    for name in names:
        organizer = {"email": "ann@gmail.com", "self": name == "ann"}
        guests = _guests(name, ann="declined")
        world.add_event("shared", name, organizer=organizer, attendees=guests)
