"""Tasks and events are mapped there and back without loss in the synced fields."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain import mapping
from shared.domain.model import EventId, Field, Meeting, Responses, TaskId
from shared.domain.settings import Settings
from tests.property import rewriting, strategies
from tests.property.rewriting import ACCOUNT, EDITORS, Habits, habits
from tests.property.strategies import (
    ANN,
    DIRECTORY,
    event_bodies,
    meetings,
    task_documents,
)

SETTINGS = Settings()
TAG = mapping.Tag(task_id=TaskId("task-1"), organization="acme")
ALL_FIELDS = frozenset(Field)


def of_event(document: dict[str, Any], habit: Habits) -> Meeting:
    """Return the meeting of an event on Ann's calendar."""
    event = mapping.event_from_document(document, calendar_zone=habit.zone)
    found = mapping.meeting_of_event(event, directory=DIRECTORY, owner_id=ANN.id)
    assert found is not None
    return found


def of_task(document: dict[str, Any], event: dict[str, Any] | None = None) -> Meeting:
    """Return the meeting of a task, which may have an event already."""
    own = frozenset[Any]()
    if event is not None:
        read = mapping.event_from_document(event, calendar_zone="UTC")
        own = mapping.own_addresses(read, directory=DIRECTORY)
    found = mapping.meeting_of_task(
        mapping.task_from_document(document),
        directory=DIRECTORY,
        settings=SETTINGS,
        own=own,
    )
    assert found is not None
    return found


def answers_of(document: dict[str, Any]) -> Responses:
    """Return the answers of an event's guests."""
    event = mapping.event_from_document(document, calendar_zone="UTC")
    return mapping.responses_of_event(event, directory=DIRECTORY)


# -- task -> event -> task --------------------------------------------------------


def exported(document: dict[str, Any], habit: Habits) -> dict[str, Any]:
    """Return the event that Google shows after a task got one."""
    body = mapping.event_body(
        of_task(document),
        event_id=EventId("abc123"),
        tag=TAG,
        attendees=mapping.task_from_document(document).attendees,
        directory=DIRECTORY,
    )
    return rewriting.stored(body, habit)


@given(task_documents(), habits)
def test_the_event_of_a_task_is_the_same_meeting(
    document: dict[str, Any], habit: Habits
) -> None:
    document |= {"status": "open"}

    event = exported(document, habit)

    assert not mapping.changed_fields(of_task(document, event), of_event(event, habit))


@given(task_documents(), habits, st.sampled_from(EDITORS))
def test_an_event_saved_in_googles_page_is_the_same_meeting(
    document: dict[str, Any],
    habit: Habits,
    editor: Any,  # noqa: ANN401 - a function
) -> None:
    document |= {"status": "open"}
    event = exported(document, habit)
    shown = of_event(event, habit).description
    # What stands between these marks is Google's own, whoever wrote it there.
    assume("-::~" not in shown)

    event["description"] = editor(shown)

    assert not mapping.changed_fields(of_task(document, event), of_event(event, habit))


@given(task_documents(), habits, habits)
def test_an_event_is_the_same_meeting_however_it_is_shown(
    document: dict[str, Any], one: Habits, other: Habits
) -> None:
    first = exported(document, one)
    again = rewriting.stored(rewriting.stored(first, one), other)

    assert not mapping.changed_fields(of_event(first, one), of_event(again, other)) - {
        Field.WHEN
    }
    named = "timeZone" in first["start"] or "date" in first["start"]
    if named:
        assert of_event(again, other).when == of_event(first, one).when


@given(task_documents(), habits)
def test_a_task_is_not_written_because_it_got_an_event(
    document: dict[str, Any], habit: Habits
) -> None:
    document |= {"status": "open"}
    event = exported(document, habit)
    target = of_event(event, habit)
    fields = mapping.changed_fields(of_task(document, event), target)

    read = mapping.event_from_document(event, calendar_zone=habit.zone)
    body = mapping.task_patch(
        mapping.task_from_document(document),
        target,
        fields,
        responses={},
        settings=SETTINGS,
        directory=DIRECTORY,
        own=mapping.own_addresses(read, directory=DIRECTORY),
    )

    assert body == {}


# -- event -> task -> event -------------------------------------------------------


def imported(event: dict[str, Any], habit: Habits) -> dict[str, Any]:
    """Return the task that the CRM has after an event got one."""
    body = mapping.task_body(
        of_event(event, habit),
        type_name="Meeting",
        owner_id=ANN.id,
        responses=answers_of(event),
        event=mapping.event_from_document(event, calendar_zone=habit.zone),
        calendar_id=ACCOUNT,
        directory=DIRECTORY,
    )
    return {
        "id": "task-1",
        "version": 1,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-01T08:00:00Z",
        "deleted": False,
        **body,
    }


@given(event_bodies(), habits)
def test_the_task_of_an_event_is_the_same_meeting(
    body: dict[str, Any], habit: Habits
) -> None:
    event = rewriting.stored(body, habit)

    document = imported(event, habit)

    assert 1 <= len(document["title"]) <= 1000
    assert document.get("duration_days", 1) >= 1
    assert not mapping.changed_fields(of_task(document, event), of_event(event, habit))


@given(event_bodies(), habits)
def test_an_event_is_not_written_because_it_got_a_task(
    body: dict[str, Any], habit: Habits
) -> None:
    document = rewriting.stored(body, habit)
    event = mapping.event_from_document(document, calendar_zone=habit.zone)
    target = of_task(imported(document, habit), document)
    fields = mapping.changed_fields(of_event(document, habit), target)

    patch = mapping.event_patch(
        event, target, fields, tag=None, directory=DIRECTORY, owner_id=ANN.id
    )

    assert patch == {}


# -- changes ----------------------------------------------------------------------


@given(event_bodies(), habits, meetings(), st.booleans())
def test_a_patched_event_is_the_meeting_it_was_to_become(
    body: dict[str, Any],
    habit: Habits,
    target: Meeting,
    tagged: bool,  # noqa: FBT001 - drawn
) -> None:
    before = rewriting.stored(body, habit)
    event = mapping.event_from_document(before, calendar_zone=habit.zone)
    fields = mapping.changed_fields(of_event(before, habit), target)

    patch = mapping.event_patch(
        event,
        target,
        fields,
        tag=TAG if tagged else None,
        directory=DIRECTORY,
        owner_id=ANN.id,
    )
    after = rewriting.stored(rewriting.patched(before, patch), habit)

    assert not mapping.changed_fields(of_event(after, habit), target)
    own = {row["email"] for row in before.get("attendees", ()) if "resource" in row}
    assert own <= {row["email"] for row in after.get("attendees", ())}


@given(task_documents(), meetings())
def test_a_patched_task_is_the_meeting_it_was_to_become(
    document: dict[str, Any], target: Meeting
) -> None:
    fields = mapping.changed_fields(of_task(document), target)

    patch = mapping.task_patch(
        mapping.task_from_document(document),
        target,
        fields,
        responses={},
        settings=SETTINGS,
        directory=DIRECTORY,
    )
    after = document | patch

    assert not mapping.changed_fields(of_task(after), target)
    assert after["due_at"] is None or after["due_date"] is None


@given(task_documents(), strategies.responses)
def test_guests_who_answered_are_not_written_twice(
    document: dict[str, Any],
    answer: Any,  # noqa: ANN401 - drawn
) -> None:
    target = of_task(document)
    answers = dict.fromkeys(target.attendees, answer)

    def patch(before: dict[str, Any]) -> dict[str, Any]:
        return mapping.task_patch(
            mapping.task_from_document(before),
            target,
            frozenset(),
            responses=answers,
            settings=SETTINGS,
            directory=DIRECTORY,
        )

    once = document | patch(document)

    assert patch(once) == {}
    assert of_task(once).attendees == target.attendees
