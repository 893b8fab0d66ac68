"""The page of a record: what is known of a task and its event, and why."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.messages import Trigger
from tests import store_rows
from tests.unit.receiver import markup
from tests.unit.receiver.house import NOW, House
from tests.unit.receiver.test_api_history import add_item, add_job
from tests.unit.receiver.test_pages_conflicts import BEFORE, flag, send

PAGE = "/record?task_id=t1"


@pytest.fixture
def acme(house: House) -> tables.Organization:
    """Return an organization with two users."""
    organization = house.organization()
    house.user(organization, "u1", name="Ann Lee")
    house.connection(organization, "u1")
    house.connection(organization, "u2", google_sub="2")
    return organization


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return an admin's browser."""
    return house.signed_in(acme, "admin", None)


def link(house: House, acme: tables.Organization, **columns: Any) -> int:  # noqa: ANN401
    """Store a link of Ann's, with its event."""
    values: dict[str, Any] = {
        "task_id": "t1",
        "event_id": "e1",
        "state": "active",
        "task": {"id": "t1", "owner_id": "u1", "title": "Kick-off"},
        "baseline": {"meeting": BEFORE, "responses": {}},
    } | columns
    with house.store.begin() as work:
        connection = work.connections.of_user(acme.id, "u1")
        assert connection is not None
        calendar = store_rows.add_calendar(work, connection)
        row = store_rows.add_link(work, acme, calendar_id=calendar.id, **values)
        work.copies.add(
            tables.Copy(
                calendar_id=calendar.id,
                event_id="e1",
                link_id=row.id,
                etag='"1"',
                document={"htmlLink": "https://calendar.example/event?eid=1"},
            )
        )
        work.commit()
    return row.id


def decide(house: House, acme: tables.Organization, **columns: Any) -> int:  # noqa: ANN401
    """Store a decision about the task; return its job."""
    job_id = add_job(house, acme)
    add_item(house, acme, job_id, **({"task_id": "t1"} | columns))
    return job_id


@pytest.mark.parametrize("query", ["task_id=t1", "event_id=e1"])
def test_a_record_is_found_by_either_side(
    house: House, acme: tables.Organization, admin: FlaskClient, query: str
) -> None:
    link(house, acme)
    job_id = decide(
        house,
        acme,
        event_id="e1",
        changes={"title": {"before": "A", "after": "B"}},
        crm={**BEFORE, "edited_at": NOW.isoformat()},
        google={**BEFORE, "title": "B", "edited_at": None},
    )

    page = admin.get(f"/record?{query}").text

    text = markup.text(page)
    assert "<h1>Kick-off</h1>" in page
    assert "Ann Lee" in text
    assert "The task is new: it got an event." in text
    assert "Thu 5 Mar 2026, 09:00 to 10:00" in text
    assert "Last edited" in text
    assert 'href="https://calendar.example/event?eid=1"' in page
    assert f'href="/admin/history/{job_id}"' in page


def test_a_record_that_was_never_linked_is_told_by_its_decisions(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    decide(house, acme, action="none", outcome="skipped", reason="no_due_date")

    page = admin.get(PAGE).text

    assert "<h1>Untitled meeting</h1>" in page
    assert "Not linked" in page
    assert "has no place in a calendar" in page


def test_what_was_never_linked_is_called_as_it_was_seen(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    decide(house, acme, google={"title": "Lunch"})

    assert "<h1>Lunch</h1>" in admin.get(PAGE).text


def test_a_link_without_decision_says_so(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    link(house, acme)

    assert "No decision yet" in admin.get(PAGE).text


def test_what_it_waits_for_is_told(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    later = NOW + timedelta(hours=1)
    flag(house, acme)
    with house.store.begin() as work:
        row = work.links.of_task(acme.id, "t1")
        assert row is not None
        row.quarantined_until = later
        held = work.held_deletions.add(
            tables.HeldDeletion(
                organization_id=acme.id, connection_id=1, side="crm", created_at=NOW
            )
        )
        row.held_deletion_id = held.id
        work.commit()

    page = admin.get(PAGE).text

    assert 'href="/admin/conflicts#conflict-1"' in page
    assert 'href="/admin/held-deletions#deletion-1"' in page
    assert f"left alone until {markup.moment(later)}" in markup.text(page)


def test_without_an_id_one_can_be_looked_for(admin: FlaskClient) -> None:
    answer = admin.get("/record")

    assert answer.status_code == 200
    assert 'name="event_id"' in answer.text


def test_an_unknown_record_is_not_there_and_another_may_be_looked_for(
    admin: FlaskClient,
) -> None:
    answer = admin.get("/record?event_id=e9")

    assert answer.status_code == 404
    assert "Nothing is known of this record" in answer.text
    assert 'name="task_id"' in answer.text


def test_one_record_is_asked_for_at_a_time(admin: FlaskClient) -> None:
    assert admin.get("/record?task_id=t1&event_id=e1").status_code == 400


class TestRoles:
    """Who sees it."""

    def test_users_see_their_own(self, house: House, acme: tables.Organization) -> None:
        link(house, acme)

        assert house.signed_in(acme, "user", "u1").get(PAGE).status_code == 200
        assert house.signed_in(acme, "user", "u2").get(PAGE).status_code == 404

    def test_another_organizations_is_not_there(
        self, house: House, acme: tables.Organization
    ) -> None:
        link(house, acme)
        other = house.signed_in(house.organization("other"), "admin", None)

        assert other.get(PAGE).status_code == 404
        assert send(other, "/record/retry", task_id="t1").status_code == 404
        assert house.queued() == []

    def test_operators_do_not(self, house: House, acme: tables.Organization) -> None:
        link(house, acme)

        assert house.signed_in(acme, "operator", None).get(PAGE).status_code == 403


class TestRetry:
    """Looking again."""

    def test_a_failed_record_is_looked_at_again_without_mail(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        link(house, acme)
        decide(house, acme, outcome="failed", reason="mapping", delivery_id="d")
        assert ">Retry</button>" in admin.get(PAGE).text

        answer = send(admin, "/record/retry", task_id="t1")

        assert answer.headers["Location"] == PAGE
        (message,) = house.queued()
        due = messages.TaskDue(organization_id=acme.id, task_id="t1")
        assert (message.subject, message.trigger) == (due, Trigger.RETRY)
        assert not message.is_live
        assert "looked at again" in admin.get(PAGE).text

    def test_its_dead_letter_goes_with_that(
        self, house: House, acme: tables.Organization
    ) -> None:
        decide(house, acme, outcome="failed", reason="mapping", delivery_id="d-dead")
        with house.store.begin() as work:
            work.dead_letters.file(
                tables.DeadLetter(
                    organization_id=acme.id,
                    delivery_id="d-dead",
                    queue="records",
                    reason="mapping",
                    error="no start",
                    task_id="t1",
                    event_id=None,
                    attempts=1,
                    message="{}",
                    created_at=NOW,
                )
            )
            work.commit()

        answer = house.caller(acme).post("/links/retry", {"task_id": "t1"})

        assert (answer.status_code, answer.json["trigger"]) == (202, "retry")
        with house.found() as work:
            assert work.dead_letters.count(acme.id) == 0

    def test_an_event_that_has_no_calendar_any_more_is_told(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        job_id = add_job(house, acme)
        with house.found() as work:
            connection = work.connections.of_user(acme.id, "u2")
        assert connection is not None
        add_item(house, acme, job_id, event_id="e8", connection_id=connection.id)

        send(admin, "/record/retry", event_id="e8")

        page = admin.get("/record?event_id=e8").text
        assert "There is no calendar any more" in page
        assert house.queued() == []

    @pytest.mark.parametrize("body", [{}, {"task_id": "t1", "event_id": "e1"}])
    def test_one_record_is_named(
        self, house: House, acme: tables.Organization, body: dict[str, str]
    ) -> None:
        answer = house.caller(acme).post("/links/retry", body)

        assert answer.status_code == 422

    def test_without_a_broker_it_is_said(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        link(house, acme)
        house.is_broker_down = True

        answer = send(admin, "/record/retry", task_id="t1")

        assert answer.status_code == 303
        assert "Try again in a minute" in admin.get(PAGE).text
