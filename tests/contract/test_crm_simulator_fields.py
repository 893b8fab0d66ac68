"""The simulated CRM: which values the fields of a task may have."""

from http import HTTPStatus

import pytest

from tests.contract.crm_simulator import BOB, KEY, Crm, refusal, wrong_fields


@pytest.fixture
def crm() -> Crm:
    return Crm()


def test_what_a_task_lacks_is_said_field_by_field(crm: Crm) -> None:
    answer = crm.post({"status": "done", "due_at": "soon"}, "k1")

    assert wrong_fields(answer) == {
        "type": "is required",
        "title": "is required",
        "owner_id": "is required",
        "status": "must be one of open, completed, cancelled",
        "due_at": "must be an instant with an offset, such as 2026-11-24T10:00:00Z",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", None),
        ("type", " "),
        ("title", None),
        ("title", 7),
        ("title", "t" * 1001),
        ("description", 7),
        ("location", ["Room 1"]),
        ("status", None),
        ("status", "done"),
        ("due_at", "2026-12-01T10:00:00"),
        ("due_at", "2026-12-01"),
        ("due_at", "2026-02-30T10:00:00Z"),
        ("due_at", 1),
        ("due_date", "2026-12-01T10:00:00Z"),
        ("due_date", "20261201"),
        ("due_date", "2026-02-30"),
        ("duration_minutes", -1),
        ("duration_minutes", 1.5),
        ("duration_minutes", True),
        ("duration_minutes", "60"),
        ("duration_days", 0),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../etc/passwd"),
        ("owner_id", None),
        ("owner_id", "nobody"),
        ("attendees", None),
        ("attendees", ["cleo@example.com"]),
        ("attendees", [{"name": "Cleo"}]),
        ("attendees", [{"email": "cleo"}]),
        ("attendees", [{"email": "cleo@example.com", "response": "maybe"}]),
        ("google_event_id", 7),
    ],
)
def test_a_value_that_is_not_valid_is_refused_for_its_field(
    crm: Crm, field: str, value: object
) -> None:
    task = crm.create(due_at=None)

    answer = crm.patch(task, **{"google_calendar_id": "c1", field: value})

    assert wrong_fields(answer).keys() == {field}
    assert crm.get(task) == task


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "t" * 1000),
        ("description", ""),
        ("due_at", "2026-12-01t10:00:00.123456z"),
        ("due_date", "2026-12-01"),
        ("duration_minutes", 0),
        ("duration_minutes", 90.0),
        ("duration_days", None),
        ("time_zone", "America/Argentina/Buenos_Aires"),
        ("owner_id", BOB),
        ("type", "To-do"),
        ("unheard_of", "left aside"),
    ],
)
def test_a_value_that_the_contract_allows_is_taken(
    crm: Crm, field: str, value: object
) -> None:
    task = crm.create(due_at=None)

    answer = crm.patch(task, **{field: value})

    assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "7", '{"title": "\\ud800"}', '{"n": NaN}', "[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_a_bad_request(crm: Crm, body: str) -> None:
    task = crm.create()

    answer = crm.client.patch(
        f"/api/v1/tasks/{task['id']}",
        data=body,
        headers={"Authorization": f"Bearer {KEY}"},
    )

    refusal(answer, HTTPStatus.BAD_REQUEST)
