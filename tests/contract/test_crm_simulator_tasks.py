"""The simulated CRM: tasks are created, changed and deleted by the contract's rules."""

from http import HTTPStatus

import pytest

from tests.contract.crm_simulator import (
    ANN,
    Crm,
    done,
    meeting,
    refusal,
    wrong_fields,
)


@pytest.fixture
def crm() -> Crm:
    return Crm()


def test_a_new_task_has_every_field(crm: Crm) -> None:
    answer = crm.post({"type": "Call", "title": "Ring", "owner_id": ANN}, "k1")

    task = answer.get_json()
    assert answer.status_code == HTTPStatus.CREATED
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"].endswith(f"/api/v1/tasks/{task['id']}")
    assert task == {
        "id": task["id"],
        "type": "Call",
        "title": "Ring",
        "description": None,
        "location": None,
        "status": "open",
        "due_at": None,
        "due_date": None,
        "duration_minutes": None,
        "duration_days": None,
        "time_zone": None,
        "owner_id": ANN,
        "attendees": [],
        "google_event_id": None,
        "google_calendar_id": None,
        "version": 1,
        "created_at": "2026-11-24T09:00:00.000Z",
        "updated_at": "2026-11-24T09:00:00.000Z",
        "deleted": False,
    }


def test_instants_are_kept_in_utc_and_attendees_in_full(crm: Crm) -> None:
    guest = {"email": "cleo@example.com"}

    task = crm.create(due_at="2026-12-01T10:00:00.250+05:30", attendees=[guest])

    assert task["due_at"] == "2026-12-01T04:30:00.250Z"
    assert task["attendees"] == [
        {"email": "cleo@example.com", "name": None, "response": "needs_action"}
    ]


def test_a_key_creates_one_task_for_a_day(crm: Crm) -> None:
    first = crm.post(meeting(), "k1")
    again = crm.post(meeting(title="Other"), "k1")
    crm.clock.advance(hours=24, seconds=1)
    later = crm.post(meeting(), "k1")

    statuses = [answer.status_code for answer in (first, again, later)]
    assert statuses == [HTTPStatus.CREATED, HTTPStatus.OK, HTTPStatus.CREATED]
    assert again.get_json() == first.get_json()
    assert later.get_json()["id"] != first.get_json()["id"]


def test_a_refused_creation_does_not_use_its_key_up(crm: Crm) -> None:
    refused = crm.post(meeting(title=""), "k1")
    created = crm.post(meeting(), "k1")

    assert wrong_fields(refused) == {"title": "must not be empty"}
    assert created.status_code == HTTPStatus.CREATED


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_creation_needs_a_key_of_at_most_255_characters(crm: Crm, key: str) -> None:
    answer = crm.post(meeting(), key)

    assert "Idempotency-Key" in refusal(answer, HTTPStatus.BAD_REQUEST)["detail"]


def test_a_change_raises_the_version_and_leaves_the_rest(crm: Crm) -> None:
    task = crm.create(description="Agenda")
    crm.clock.advance(seconds=5)

    answer = crm.patch(task, '"1"', title="Moved", unheard_of=1)

    assert answer.headers["ETag"] == '"2"'
    assert answer.get_json() == {
        **task,
        "title": "Moved",
        "version": 2,
        "updated_at": "2026-11-24T09:00:05.000Z",
    }


def test_a_change_that_changes_nothing_keeps_version_and_time(crm: Crm) -> None:
    task = crm.create(attendees=[{"email": "cleo@example.com"}])
    crm.clock.advance(seconds=5)

    same = crm.change(
        task,
        due_at="2026-12-01T11:00:00.000+01:00",
        attendees=[{"response": "needs_action", "email": "cleo@example.com"}],
    )
    empty = crm.change(task)

    assert same == empty == task


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        ('"2"', HTTPStatus.OK),
        ('"1", "2"', HTTPStatus.OK),
        ("*", HTTPStatus.OK),
        ('"1"', HTTPStatus.PRECONDITION_FAILED),
        ('"3"', HTTPStatus.PRECONDITION_FAILED),
        ("2", HTTPStatus.PRECONDITION_FAILED),
        ('W/"2"', HTTPStatus.PRECONDITION_FAILED),
    ],
)
def test_a_change_is_made_only_to_the_version_it_names(
    crm: Crm, if_match: str, status: int
) -> None:
    task = crm.create()
    crm.change(task, title="Second")

    answer = crm.patch(task, if_match, title="Third")

    assert answer.status_code == status


def test_the_refusal_of_an_old_version_brings_the_task_as_it_is(crm: Crm) -> None:
    task = crm.create()
    newer = crm.change(task, title="Newer")

    # Whether the new values are valid does not matter any more.
    answer = crm.patch(task, '"1"', title="")

    assert refusal(answer, HTTPStatus.PRECONDITION_FAILED)["current"] == newer


@pytest.mark.parametrize(
    ("had", "sent"),
    [
        ({"due_at": "2026-12-01T10:00:00Z"}, {"due_date": "2026-12-01"}),
        (
            {"due_at": None, "due_date": "2026-12-01"},
            {"due_at": "2026-12-01T10:00:00Z"},
        ),
    ],
)
def test_a_task_is_never_timed_and_all_day_at_once(
    crm: Crm, had: dict[str, object], sent: dict[str, object]
) -> None:
    task = crm.create(**had)
    emptied = {name: None for name in ("due_at", "due_date") if name not in sent}

    refused = crm.patch(task, **sent)
    changed = crm.change(task, **sent, **emptied)

    assert wrong_fields(refused).keys() == sent.keys()
    assert changed["version"] == 2


def test_an_event_belongs_to_one_living_task(crm: Crm) -> None:
    holder = crm.create(google_event_id="e1")
    other = crm.create()

    created = crm.post(meeting(google_event_id="e1"), "k1")
    changed = crm.patch(other, google_event_id="e1")
    kept = crm.change(holder, google_event_id="e1", title="Mine")

    for answer in (created, changed):
        assert refusal(answer, HTTPStatus.CONFLICT)["existing_id"] == holder["id"]
    assert kept["version"] == 2


def test_an_event_is_free_again_once_its_task_is_deleted_or_let_go(crm: Crm) -> None:
    deleted, renamed = (
        crm.create(google_event_id="e1"),
        crm.create(google_event_id="e2"),
    )
    crm.delete(deleted)
    crm.change(renamed, google_event_id="e3")

    heirs = [crm.create(google_event_id=event_id) for event_id in ("e1", "e2")]

    assert [heir["google_event_id"] for heir in heirs] == ["e1", "e2"]


def test_a_deleted_task_is_a_tombstone_for_30_days(crm: Crm) -> None:
    task = crm.create()
    first = crm.delete(task)
    again, changed = crm.delete(task), crm.patch(task, '"2"', title="Ghost")
    found = crm.get(task)
    crm.clock.advance(days=30, seconds=1)
    later = [
        crm.call(method, f"/tasks/{task['id']}", {} if method == "PATCH" else None)
        for method in ("GET", "PATCH", "DELETE")
    ]

    assert first.status_code == HTTPStatus.NO_CONTENT
    assert first.data == b""
    refusal(again, HTTPStatus.GONE)
    refusal(changed, HTTPStatus.GONE)
    assert found == {**task, "deleted": True, "version": 2}
    for answer in later:
        refusal(answer, HTTPStatus.NOT_FOUND)


def test_an_unknown_task_is_not_found(crm: Crm) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        body = {"title": "Ghost"} if method == "PATCH" else None
        refusal(crm.call(method, "/tasks/t-0", body), HTTPStatus.NOT_FOUND)


def test_versions_and_times_never_run_backwards_with_the_clock(crm: Crm) -> None:
    task = crm.create()
    crm.clock.advance(minutes=-5)

    changed = crm.change(task, title="Later")

    assert changed["updated_at"] == task["updated_at"]
    assert done(crm.call("GET", "/tasks"))["items"] == [changed]
