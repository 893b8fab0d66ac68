"""Tasks as the CRM sends them (`crm-api.yaml`), read or refused by the field."""

from datetime import UTC, date, datetime

import pytest

from shared.domain import errors, mapping
from shared.domain.model import Attendee, Response, Task, TaskStatus
from tests.unit.domain.records import EVE, FAY, task, task_document


def test_every_field_is_read() -> None:
    document = task_document(
        description="cake",
        location="here",
        status="completed",
        due_date="2026-03-02",
        duration_days=2,
        attendees=[
            {"email": "Eve@guest.example", "name": "Eve", "response": "tentative"},
            {"email": "fay@guest.example"},
        ],
        google_event_id="abc123",
        google_calendar_id="ann@google.example",
        version=7,
        updated_at="2026-03-01T10:00:00.250+02:00",
        deleted=True,
    )

    read = mapping.task_from_document(document)

    assert read == Task(
        id=read.id,
        type="Meeting",
        title="Lunch",
        owner_id="ann",
        version=7,
        created_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC),
        description="cake",
        location="here",
        status=TaskStatus.COMPLETED,
        due_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        due_date=date(2026, 3, 2),
        duration_minutes=60,
        duration_days=2,
        time_zone="Europe/Zurich",
        attendees=(
            Attendee(email=EVE, name="Eve", response=Response.TENTATIVE),
            Attendee(email=FAY),
        ),
        google_event_id="abc123",
        google_calendar_id="ann@google.example",
        deleted=True,
    )


def test_a_task_needs_no_more_than_the_contract_requires() -> None:
    required = (
        "id",
        "type",
        "title",
        "status",
        "owner_id",
        "version",
        "created_at",
        "updated_at",
        "deleted",
    )
    document = {name: task_document()[name] for name in required}

    read = mapping.task_from_document(document)

    assert (read.due_at, read.attendees, read.deleted) == (None, (), False)


def test_fields_of_a_later_crm_are_ignored() -> None:
    read = task(priority="high")

    assert read == task()


def test_null_attendees_are_none() -> None:
    read = task(attendees=None)

    assert read.attendees == ()


@pytest.mark.parametrize(
    "name",
    ["id", "type", "title", "status", "owner_id", "version", "created_at"],
)
def test_a_field_that_is_missing_is_named(name: str) -> None:
    document = task_document()
    del document[name]

    with pytest.raises(errors.MappingError, match=f"{name} cannot be read"):
        mapping.task_from_document(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "paused"),
        ("version", "seven"),
        ("version", None),
        ("updated_at", "2026-03-01T08:00:00"),
        ("updated_at", "yesterday"),
        ("updated_at", 5),
        ("due_at", "2026-03-02T12:00:00"),
        ("due_at", "2026-03-02"),
        ("due_date", "2026-02-30"),
        ("due_date", "2026-03-02T12:00:00Z"),
        ("due_date", 20260302),
        ("duration_minutes", "long"),
        ("duration_days", []),
        ("attendees", ["eve@guest.example"]),
        ("attendees", [{"name": "Eve"}]),
        ("attendees", [{"email": None}]),
        ("attendees", [{"email": "eve@guest.example", "response": "perhaps"}]),
        ("attendees", 5),
    ],
)
def test_a_field_that_cannot_be_read_is_named(name: str, value: object) -> None:
    with pytest.raises(errors.MappingError) as refused:
        task(**{name: value})

    assert str(refused.value) == f"task task-1: {name} cannot be read"


def test_a_task_that_does_not_say_who_it_is_is_named_as_such() -> None:
    with pytest.raises(errors.MappingError, match="task without id"):
        mapping.task_from_document({})


def test_a_refusal_tells_nothing_of_what_was_written() -> None:
    with pytest.raises(errors.MappingError) as refused:
        task(title="Hush hush", due_at="secret place")

    assert "ush" not in str(refused.value)
    assert "secret" not in str(refused.value)
