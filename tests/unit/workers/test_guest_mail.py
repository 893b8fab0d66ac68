"""Guests get mail about what a user did just now, where that is wished; else never."""

from datetime import timedelta

import pytest

from shared.domain import errors
from shared.domain.messages import Trigger
from tests.unit.workers.world import World

GUESTS = [{"email": "guest@x.example"}]


@pytest.mark.parametrize(
    ("setting", "sent"),
    [("none", "none"), ("external", "externalOnly"), ("all", "all")],
)
def test_edits_in_the_crm_are_mailed_as_the_setting_says(
    world: World, setting: str, sent: str
) -> None:
    world.settings(guest_notifications=setting)

    task = world.add_task(attendees=GUESTS)
    world.settle()
    world.edit_task(task["id"], title="Plan B")
    world.settle()
    world.edit_task(task["id"], status="cancelled")
    world.settle()
    world.edit_task(task["id"], status="open")
    world.settle()

    assert world.ann.sent_updates == [sent] * 4


def test_a_second_attempt_sends_none(world: World) -> None:
    world.settings(guest_notifications="all")
    world.be_down()

    world.add_task(attendees=GUESTS)
    world.settle(patience=timedelta(seconds=20))

    assert world.ann.sent_updates == ["none"]


def test_a_first_sync_sends_none(empty_world: World) -> None:
    empty_world.settings(guest_notifications="all")
    empty_world.add_task(attendees=GUESTS)

    empty_world.connect("ann")

    assert empty_world.ann.sent_updates == ["none"]


@pytest.mark.parametrize("trigger", [Trigger.REPAIR, Trigger.MANUAL])
def test_a_sync_of_everything_sends_none(world: World, trigger: Trigger) -> None:
    world.settings(guest_notifications="all")
    world.crm_side.add(
        title="Plan", owner_id="ann", due_at="2026-03-03T10:00:00Z", attendees=GUESTS
    )

    world.sync_all(world.connection().id, trigger)

    assert world.ann.sent_updates == ["none"]


def test_what_a_poll_finds_sends_none(world: World) -> None:
    world.settings(guest_notifications="all")
    world.crm_side.add(
        title="Plan", owner_id="ann", due_at="2026-03-03T10:00:00Z", attendees=GUESTS
    )

    world.poll()

    assert world.ann.sent_updates == ["none"]


def test_what_waited_for_its_user_sends_none(world: World) -> None:
    world.settings(guest_notifications="all")
    world.ann.fail_next(errors.GrantRevokedError(), on="insert_event")
    world.add_task(attendees=GUESTS)
    world.settle()

    world.reconnect()

    assert world.ann.sent_updates == ["none"]


def test_leaving_the_scope_sends_none(world: World) -> None:
    world.settings(guest_notifications="all")
    task = world.add_task(attendees=GUESTS)
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], type="Call")
    world.settle()

    assert world.ann.sent_updates == ["none"]
