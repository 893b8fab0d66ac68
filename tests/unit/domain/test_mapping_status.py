"""Status and type: what ends a meeting on either side, and what does not."""

import pytest

from shared.domain import mapping
from shared.domain.model import Field
from tests.unit.domain.records import (
    DIRECTORY,
    event,
    event_body,
    event_patch,
    meeting,
    meeting_of,
    meeting_on,
    task,
    task_body,
    task_patch,
)

CANCELLED = frozenset({Field.CANCELLED})


@pytest.mark.parametrize("status", ["open", "completed"])
def test_completing_a_task_changes_no_meeting(status: str) -> None:
    read = meeting_of(task(status=status))

    assert read == meeting()


@pytest.mark.parametrize(
    "fields", [{"status": "cancelled"}, {"deleted": True}, {"deleted": 1}]
)
def test_a_task_that_is_cancelled_or_deleted_is_a_cancelled_meeting(
    fields: dict[str, object],
) -> None:
    read = meeting_of(task(**fields))

    assert read == meeting(cancelled=True)


@pytest.mark.parametrize(
    ("status", "is_cancelled"),
    [("confirmed", False), ("tentative", False), (None, False), ("cancelled", True)],
)
def test_an_event_ends_by_its_status(status: str | None, *, is_cancelled: bool) -> None:
    read = event(status=status)

    assert read.is_cancelled is is_cancelled
    assert meeting_on(read).cancelled is is_cancelled


def test_a_bare_tombstone_is_no_meeting() -> None:
    bare = mapping.event_from_document(
        {"id": "abc123", "status": "cancelled"}, calendar_zone="UTC"
    )

    read = mapping.meeting_of_event(bare, directory=DIRECTORY, owner_id="ann")

    assert bare.is_cancelled
    assert read is None


def test_cancelling_sends_nothing_but_the_status() -> None:
    target = meeting("Dinner", cancelled=True)
    fields = mapping.changed_fields(meeting(), target)

    assert task_patch(task(), target, fields) == {"status": "cancelled"}
    assert event_patch(event(), target, CANCELLED) == {"status": "cancelled"}


def test_a_task_that_is_cancelled_already_needs_nothing() -> None:
    body = task_patch(task(), meeting("Dinner", cancelled=True), frozenset())

    assert body == {}


def test_reviving_reopens_the_task_and_confirms_the_event() -> None:
    dead_task, dead_event = task(status="cancelled"), event(status="cancelled")
    target = meeting("Dinner")
    fields = mapping.changed_fields(meeting(cancelled=True), target)

    assert task_patch(dead_task, target, fields) == {
        "title": "Dinner",
        "status": "open",
    }
    assert event_patch(dead_event, target, fields) == {
        "summary": "Dinner",
        "status": "confirmed",
    }


def test_an_edit_leaves_the_status_of_a_completed_task_alone() -> None:
    title = frozenset({Field.TITLE})

    body = task_patch(task(status="completed"), meeting("Dinner"), title)

    assert body == {"title": "Dinner"}


def test_a_new_task_is_open_and_has_the_type_that_was_chosen() -> None:
    body = task_body(meeting(), event())

    assert (body["type"], body["status"], body["owner_id"]) == (
        "Meeting",
        "open",
        "ann",
    )


def test_a_new_task_names_its_event() -> None:
    body = task_body(meeting(), event())

    assert (body["google_event_id"], body["google_calendar_id"]) == (
        "abc123",
        "ann@google.example",
    )


def test_a_new_event_leaves_the_status_to_google() -> None:
    body = event_body(meeting())

    assert "status" not in body


def test_a_meeting_is_cancelled_without_other_change() -> None:
    assert mapping.cancelled(meeting("Dinner")) == meeting("Dinner", cancelled=True)
