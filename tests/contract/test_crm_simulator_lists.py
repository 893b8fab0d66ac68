"""The simulated CRM: lists of tasks and users, page by page."""

import base64
import json
from http import HTTPStatus

import pytest

from tests.contract.crm_simulator import ANN, BOB, Crm, done, refusal


@pytest.fixture
def crm() -> Crm:
    return Crm()


def test_tasks_are_listed_oldest_change_first_and_by_id_within_a_moment(
    crm: Crm,
) -> None:
    together = sorted(crm.create()["id"] for _ in range(4))
    crm.clock.advance(seconds=1)
    crm.change({"id": together[0]}, title="Later")

    found = crm.ids()

    assert found == [*together[1:], together[0]]


def test_pages_lead_through_all_tasks_once(crm: Crm) -> None:
    made = set()
    for _ in range(3):
        made |= {crm.create()["id"], crm.create()["id"]}
        crm.clock.advance(seconds=1)
    crm.create(owner_id=BOB)

    pages = crm.pages(limit=4, owner_id=ANN)

    assert [len(page) for page in pages] == [4, 2]
    assert {row["id"] for page in pages for row in page} == made


def test_a_task_that_changes_between_two_pages_is_seen_again(crm: Crm) -> None:
    first, second = crm.create(), crm.create()
    page = done(crm.page(limit=1))
    seen = page["items"][0]
    crm.clock.advance(seconds=1)
    crm.change(seen, title="Changed meanwhile")

    rest = done(crm.page(limit=5, cursor=page["next_cursor"]))

    assert {first["id"], second["id"]} == {row["id"] for row in rest["items"]}
    assert rest["next_cursor"] is None


def test_a_list_has_100_rows_a_page_unless_told_and_500_at_most(crm: Crm) -> None:
    for _ in range(101):
        crm.create()

    assert [len(page) for page in crm.pages()] == [100, 1]
    assert [len(page) for page in crm.pages(limit=500)] == [101]
    refusal(crm.page(limit=501), HTTPStatus.BAD_REQUEST)


def test_changes_are_listed_from_their_moment_on_with_the_deleted_ones(
    crm: Crm,
) -> None:
    before = crm.create()
    crm.clock.advance(milliseconds=1)
    kept, deleted = crm.create(), crm.create()
    crm.delete(deleted)
    since = kept["updated_at"]

    found = crm.pages(updated_since=since)[0]

    assert {row["id"]: row["deleted"] for row in found} == {
        kept["id"]: False,
        deleted["id"]: True,
    }
    assert set(crm.ids()) == {before["id"], kept["id"]}
    assert set(crm.ids(updated_since="2026-11-24T10:00:00+01:00")) == {
        before["id"],
        kept["id"],
        deleted["id"],
    }


def test_a_deleted_task_leaves_the_list_of_changes_after_30_days(crm: Crm) -> None:
    task = crm.create()
    crm.delete(task)
    since = task["updated_at"]
    listed = crm.ids(updated_since=since)
    crm.clock.advance(days=30, seconds=1)

    assert listed == [task["id"]]
    assert crm.ids(updated_since=since) == []


def test_tasks_are_found_by_owner_and_by_event(crm: Crm) -> None:
    of_ann, of_bob = crm.create(google_event_id="e1"), crm.create(owner_id=BOB)

    assert crm.ids(owner_id=BOB) == [of_bob["id"]]
    assert crm.ids(google_event_id="e1") == [of_ann["id"]]
    assert crm.ids(google_event_id="e1", owner_id=BOB) == []
    assert crm.ids(google_event_id="") == []


def test_tasks_are_found_by_when_they_start(crm: Crm) -> None:
    nine, ten = (
        crm.create(due_at=f"2026-12-01T{hour}:00:00Z")["id"] for hour in ("09", "10")
    )
    crm.create(due_at=None)

    assert crm.ids(due_from="2026-12-01T09:00:00Z", due_to="2026-12-01T10:00:00Z") == [
        nine
    ]
    assert crm.ids(due_from="2026-12-01T10:30:00+00:30") == [ten]
    assert crm.ids(due_to="2026-12-01T09:00:00Z") == []


@pytest.mark.parametrize(
    ("owner", "zone", "begins"),
    [
        (ANN, None, "2026-12-01T00:00:00Z"),
        (BOB, None, "2026-11-30T23:00:00Z"),
        (BOB, "America/Lima", "2026-12-01T05:00:00Z"),
    ],
)
def test_a_day_begins_in_the_zone_of_the_task_or_of_its_owner(
    crm: Crm, owner: str, zone: str | None, begins: str
) -> None:
    task = crm.create(
        owner_id=owner, time_zone=zone, due_at=None, due_date="2026-12-01"
    )

    assert crm.ids(due_from=begins) == [task["id"]]
    assert crm.ids(due_to=begins) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "many"),
        ("limit", ""),
        ("limit", "٣"),
        ("updated_since", "yesterday"),
        ("updated_since", "2026-11-24"),
        ("updated_since", "2026-11-24T09:00:00"),
        ("due_from", "2026-11-24T25:00:00Z"),
        ("due_to", ""),
        ("cursor", "page two"),
        ("cursor", base64.urlsafe_b64encode(b"[1]").decode()),
    ],
)
def test_a_bad_parameter_is_a_bad_request_that_names_it(
    crm: Crm, name: str, value: str
) -> None:
    answer = crm.page(**{name: value})

    detail = refusal(answer, HTTPStatus.BAD_REQUEST)["detail"]
    assert detail.startswith(f"{name}: ")


def test_a_cursor_is_good_for_the_list_it_came_from_only(crm: Crm) -> None:
    crm.create()
    crm.create()
    cursor = done(crm.page(limit=1))["next_cursor"]

    other_size = crm.page(limit=2, cursor=cursor)
    other_filter = crm.page(owner_id=ANN, cursor=cursor)
    other_list = crm.page("/users", cursor=cursor)

    assert other_size.status_code == HTTPStatus.OK
    refusal(other_filter, HTTPStatus.BAD_REQUEST)
    refusal(other_list, HTTPStatus.BAD_REQUEST)


def test_users_are_listed_inactive_ones_too(crm: Crm) -> None:
    crm.order("users", id="cleo", email="cleo@example.com", active=False)

    (page,) = crm.pages("/users")

    assert page == [
        {
            "id": ANN,
            "email": "ann@example.com",
            "name": "Ann",
            "time_zone": None,
            "active": True,
        },
        {
            "id": BOB,
            "email": "bob@example.com",
            "name": None,
            "time_zone": "Europe/Berlin",
            "active": True,
        },
        {
            "id": "cleo",
            "email": "cleo@example.com",
            "name": None,
            "time_zone": None,
            "active": False,
        },
    ]


def test_many_users_come_in_pages(crm: Crm) -> None:
    for number in range(150):
        crm.order("users", id=f"u{number:03}", email=f"u{number}@example.com")

    pages = crm.pages("/users")

    ids = [row["id"] for page in pages for row in page]
    assert len(pages) == 2
    assert ids == sorted(set(ids))
    assert len(ids) == 152


def test_a_broken_cursor_of_users_is_a_bad_request(crm: Crm) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["users"]).encode()).decode()

    answer = crm.page("/users", cursor=cursor)

    refusal(answer, HTTPStatus.BAD_REQUEST)
