"""The calls that settle a conflict, and that try failed records again."""

from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConflictState
from shared.domain import messages
from shared.domain.messages import Queue, Trigger
from tests import store_rows
from tests.unit.receiver.house import NOW, House
from tests.unit.receiver.test_api_history import add_item, add_job


@pytest.fixture
def acme(house: House) -> tables.Organization:
    """Return an organization whose user u1 is connected."""
    organization = house.organization()
    house.user(organization)
    house.connection(organization)
    return organization


class TestConflicts:
    """POST /conflicts/<id>/resolve."""

    @pytest.fixture
    def conflict(self, house: House, acme: tables.Organization) -> tables.Conflict:
        """Return a conflict about two fields."""
        with house.store.begin() as work:
            link = store_rows.add_link(work, acme, task_id="t1", state="conflict")
            row = work.conflicts.add(
                tables.Conflict(
                    organization_id=acme.id,
                    link_id=link.id,
                    crm_user_id="u1",
                    fields=["location", "title"],
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            work.commit()
        return row

    def stored(self, house: House, conflict: tables.Conflict) -> tables.Conflict:
        """Return the conflict as it is now."""
        with house.store.read() as work:
            return work.conflicts.by_id(conflict.id)

    def test_one_side_is_kept_as_a_whole(
        self, house: House, acme: tables.Organization, conflict: tables.Conflict
    ) -> None:
        answer = house.caller(acme, "user", "u1").post(
            f"/conflicts/{conflict.id}/resolve", {"keep": "google"}
        )

        assert answer.status_code == 202
        chosen = {"location": "google", "title": "google"}
        assert answer.json["choice"] == chosen
        assert self.stored(house, conflict).choice == chosen
        (message,) = house.queued()
        due = messages.TaskDue(organization_id=acme.id, task_id="t1")
        assert (message.subject, message.queue) == (due, Queue.RECORDS)
        assert message.trigger is Trigger.MANUAL

    def test_each_field_is_kept_from_the_side_that_is_named(
        self, house: House, acme: tables.Organization, conflict: tables.Conflict
    ) -> None:
        chosen = {"location": "google", "title": "crm"}

        answer = house.caller(acme).post(
            f"/conflicts/{conflict.id}/resolve", {"fields": chosen, "version": 1}
        )

        assert answer.status_code == 202
        assert self.stored(house, conflict).choice == chosen

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "keep"),
            ({"keep": "crm", "fields": {"title": "crm"}}, "fields"),
            ({"keep": "both"}, "keep"),
            ({"fields": {"title": "crm"}}, "fields.location"),
            (
                {"fields": {"title": "crm", "location": "crm", "when": "crm"}},
                "fields.when",
            ),
            ({"fields": {"title": "both", "location": "crm"}}, "fields.title"),
        ],
    )
    def test_a_choice_that_is_none_is_refused_with_its_field(
        self,
        house: House,
        acme: tables.Organization,
        conflict: tables.Conflict,
        body: dict[str, Any],
        field: str,
    ) -> None:
        answer = house.caller(acme).post(f"/conflicts/{conflict.id}/resolve", body)

        assert answer.status_code == 422
        assert field in {mistake["field"] for mistake in answer.json["errors"]}
        assert self.stored(house, conflict).choice is None
        assert house.queued() == []

    @pytest.mark.parametrize("change", [{"version": 2}, {"state": "resolved"}])
    def test_a_choice_that_is_late_is_refused_with_the_present_state(
        self,
        house: House,
        acme: tables.Organization,
        conflict: tables.Conflict,
        change: dict[str, Any],
    ) -> None:
        with house.store.begin() as work:
            row = work.conflicts.by_id(conflict.id)
            for name, value in change.items():
                setattr(row, name, value)
            work.commit()

        answer = house.caller(acme).post(
            f"/conflicts/{conflict.id}/resolve", {"keep": "crm", "version": 1}
        )

        assert answer.status_code == 409
        assert answer.json["current"]["id"] == conflict.id
        assert answer.json["current"]["state"] in set(ConflictState)
        assert house.queued() == []

    def test_somebody_elses_conflict_is_not_there(
        self, house: House, acme: tables.Organization, conflict: tables.Conflict
    ) -> None:
        other = house.caller(acme, "user", "u2")

        answer = other.post(f"/conflicts/{conflict.id}/resolve", {"keep": "crm"})

        assert answer.status_code == 404


class TestRetry:
    """POST /jobs/<id>/retry."""

    def failed(
        self,
        house: House,
        acme: tables.Organization,
        **columns: Any,  # noqa: ANN401 - columns of the row
    ) -> int:
        """Store a job with a record that failed; return the job."""
        job_id = add_job(house, acme)
        failure = {"outcome": "failed", "reason": "remote_rejected", **columns}
        add_item(house, acme, job_id, **failure)
        return job_id

    def test_failed_records_are_tried_again_in_a_new_job(
        self, house: House, acme: tables.Organization
    ) -> None:
        job_id = self.failed(house, acme, task_id="t1")
        add_item(house, acme, job_id, task_id="t2")

        answer = house.caller(acme).post(f"/jobs/{job_id}/retry")

        assert answer.status_code == 202
        assert (answer.json["trigger"], answer.json["state"]) == ("retry", "running")
        (message,) = house.queued()
        due = messages.TaskDue(organization_id=acme.id, task_id="t1")
        assert (message.subject, message.job_id) == (due, answer.json["id"])
        assert not message.is_live

    def test_an_event_is_read_before_it_is_tried_again(
        self, house: House, acme: tables.Organization
    ) -> None:
        with house.store.begin() as work:
            connection = work.connections.of_user(acme.id, "u1")
            assert connection is not None
            calendar = store_rows.add_calendar(work, connection)
            work.commit()
        job_id = self.failed(house, acme, event_id="e1", connection_id=connection.id)

        house.caller(acme).post(f"/jobs/{job_id}/retry")

        (message,) = house.queued()
        assert message.subject == messages.EventDue(
            calendar_id=calendar.id, event_id="e1", must_read=True
        )

    def test_a_list_that_failed_is_made_again(
        self, house: House, acme: tables.Organization
    ) -> None:
        with house.store.read() as work:
            connection = work.connections.of_user(acme.id, "u1")
        assert connection is not None
        of_crm = self.failed(house, acme, delivery_id="x")
        of_user = self.failed(house, acme, delivery_id="y", connection_id=connection.id)

        for job_id in (of_crm, of_user):
            house.caller(acme).post(f"/jobs/{job_id}/retry")

        subjects = [message.subject for message in house.queued()]
        assert subjects == [
            messages.OrganizationDue(organization_id=acme.id),
            messages.ConnectionDue(connection_id=connection.id),
        ]

    def test_what_succeeded_since_is_left_alone(
        self, house: House, acme: tables.Organization
    ) -> None:
        job_id = self.failed(house, acme, task_id="t1")
        add_item(house, acme, add_job(house, acme), task_id="t1")

        answer = house.caller(acme).post(f"/jobs/{job_id}/retry")

        assert answer.status_code == 409
        assert house.queued() == []

    def test_the_dead_letter_of_a_record_goes_with_its_retry(
        self, house: House, acme: tables.Organization
    ) -> None:
        job_id = self.failed(house, acme, task_id="t1", delivery_id="d-dead")
        with house.store.begin() as work:
            work.dead_letters.file(
                tables.DeadLetter(
                    organization_id=acme.id,
                    delivery_id="d-dead",
                    queue="records",
                    reason="remote_rejected",
                    error="400",
                    task_id="t1",
                    event_id=None,
                    attempts=1,
                    message="{}",
                    created_at=NOW,
                )
            )
            work.commit()

        house.caller(acme).post(f"/jobs/{job_id}/retry")

        with house.store.read() as work:
            assert work.dead_letters.count(acme.id) == 0

    def test_without_a_broker_nothing_is_lost(
        self, house: House, acme: tables.Organization
    ) -> None:
        job_id = self.failed(house, acme, task_id="t1")
        house.is_broker_down = True

        answer = house.caller(acme).post(f"/jobs/{job_id}/retry")

        house.is_broker_down = False
        again = house.caller(acme).post(f"/jobs/{job_id}/retry")
        assert (answer.status_code, again.status_code) == (503, 202)

    def test_a_user_tries_only_records_of_their_own_again(
        self, house: House, acme: tables.Organization
    ) -> None:
        with house.store.read() as work:
            connection = work.connections.of_user(acme.id, "u1")
        assert connection is not None
        job_id = self.failed(house, acme, task_id="t1", connection_id=connection.id)
        failure = {"outcome": "failed", "reason": "remote_rejected"}
        add_item(house, acme, job_id, task_id="t2", **failure)

        house.caller(acme, "user", "u1").post(f"/jobs/{job_id}/retry")

        (message,) = house.queued()
        due = messages.TaskDue(organization_id=acme.id, task_id="t1")
        assert message.subject == due
