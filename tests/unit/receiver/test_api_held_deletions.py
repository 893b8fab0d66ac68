"""The calls that decide on deletions of many records at once."""

import pytest

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.messages import Trigger
from tests import store_rows
from tests.unit.receiver.house import NOW, House


@pytest.fixture
def acme(house: House) -> tables.Organization:
    """Return an organization whose user u1 is connected."""
    organization = house.organization()
    house.connection(organization)
    return organization


def hold(house: House, acme: tables.Organization, side: str = "crm") -> int:
    """Store a deletion of two records that is held; return its id."""
    with house.store.begin() as work:
        connection = work.connections.of_user(acme.id, "u1")
        assert connection is not None
        calendar = store_rows.add_calendar(work, connection)
        row = work.held_deletions.add(
            tables.HeldDeletion(
                organization_id=acme.id,
                connection_id=connection.id,
                side=side,
                created_at=NOW,
            )
        )
        for number in (1, 2):
            store_rows.add_link(
                work,
                acme,
                task_id=f"t{number}",
                event_id=f"e{number}",
                ical_uid=f"e{number}@google.com",
                calendar_id=calendar.id,
                baseline={"meeting": {"title": f"Lunch {number}"}},
                held_deletion_id=row.id,
            )
        work.commit()
    return row.id


def test_what_waits_is_listed_with_its_records(
    house: House, acme: tables.Organization
) -> None:
    held_id = hold(house, acme)

    answer = house.caller(acme).get("/held-deletions")

    (item,) = answer.json["items"]
    assert (item["id"], item["count"], item["side"]) == (held_id, 2, "crm")
    assert item["items"][0] == {"task_id": "t1", "event_id": "e1", "title": "Lunch 1"}
    assert house.caller(acme).get("/health").json["held_deletions"] == 1


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_has_each_record_looked_at_without_mail(
    house: House, acme: tables.Organization, decision: str
) -> None:
    held_id = hold(house, acme)

    answer = house.caller(acme).post(f"/held-deletions/{held_id}/{decision}")

    assert answer.status_code == 202
    queued = house.queued()
    assert [m.subject for m in queued] == [
        messages.TaskDue(organization_id=acme.id, task_id="t1"),
        messages.TaskDue(organization_id=acme.id, task_id="t2"),
    ]
    assert {m.trigger for m in queued} == {Trigger.REPAIR}
    assert house.caller(acme).get("/held-deletions").json["items"] == []


def test_what_was_deleted_in_google_is_read_there(
    house: House, acme: tables.Organization
) -> None:
    held_id = hold(house, acme, side="google")

    house.caller(acme).post(f"/held-deletions/{held_id}/approve")

    subjects = [message.subject for message in house.queued()]
    assert all(
        isinstance(each, messages.EventDue) and each.must_read for each in subjects
    )


def test_a_decision_is_made_once(house: House, acme: tables.Organization) -> None:
    held_id = hold(house, acme)
    house.caller(acme).post(f"/held-deletions/{held_id}/reject")

    again = house.caller(acme).post(f"/held-deletions/{held_id}/approve")

    assert again.status_code == 409
    assert "rejected" in again.json["detail"]


def test_a_deletion_of_somebody_elses_is_not_there(
    house: House, acme: tables.Organization
) -> None:
    held_id = hold(house, acme)
    other = house.caller(house.organization("globex"))

    answers = [other.post(f"/held-deletions/{n}/approve") for n in (held_id, 999)]

    assert [answer.status_code for answer in answers] == [404, 404]
