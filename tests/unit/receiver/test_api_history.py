"""The calls that tell what happened and why."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import Direction
from shared.domain import errors
from shared.domain.messages import Trigger
from tests import store_rows
from tests.unit.receiver.house import NOW, House

AT = NOW.isoformat().replace("+00:00", "Z")


def add_job(
    house: House,
    organization: tables.Organization,
    connection_id: int | None = None,
    direction: Direction = Direction.BOTH,
    now: datetime = NOW,
) -> int:
    """Store a job that is still running."""
    with house.store.begin() as work:
        job = work.jobs.start(
            organization_id=organization.id,
            connection_id=connection_id,
            trigger=Trigger.SCHEDULE,
            direction=direction,
            now=now,
        )
        work.commit()
    return job.id


def add_item(
    house: House,
    organization: tables.Organization,
    job_id: int,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> None:
    """Store what became of a record in a job."""
    values: dict[str, Any] = {
        "delivery_id": f"d{columns.get('task_id', '')}{columns.get('event_id', '')}",
        "action": "create_event",
        "outcome": "applied",
        "reason": "task_created",
        "attempts": 1,
        "at": NOW,
    } | columns
    with house.store.begin() as work:
        work.items.record(
            tables.JobItem(job_id=job_id, organization_id=organization.id, **values)
        )
        work.commit()


def ids(answer: Any) -> list[int]:  # noqa: ANN401 - Flask's
    """Return the ids in a list."""
    return [item["id"] for item in answer.json["items"]]


class TestJobs:
    """Jobs and their items."""

    def test_jobs_are_listed_newest_first(
        self, house: House, acme: tables.Organization
    ) -> None:
        jobs = [add_job(house, acme) for _ in range(3)]
        add_job(house, house.organization("other"))

        assert ids(house.caller(acme).get("/jobs")) == jobs[::-1]

    def test_jobs_are_filtered(self, house: House, acme: tables.Organization) -> None:
        row = house.connection(acme)
        plain = add_job(house, acme, direction=Direction.CRM_TO_GOOGLE)
        own = add_job(house, acme, row.id)
        failed = add_job(house, acme)
        add_item(house, acme, failed, outcome="failed", error="refused")
        with house.store.begin() as work:
            work.jobs.expect(failed, 1, now=NOW)
            work.commit()
        get = house.caller(acme).get

        assert ids(get("/jobs?state=failed")) == [failed]
        assert ids(get("/jobs?state=running&direction=both")) == [own]
        assert ids(get("/jobs?direction=crm_to_google")) == [plain]
        assert ids(get(f"/jobs?connection_id={row.id}")) == [own]
        assert ids(get("/jobs?has_errors=true")) == [failed]
        assert ids(get("/jobs?has_errors=false&limit=1")) == [own]

    @pytest.mark.parametrize(
        "query",
        ["state=done", "direction=up", "connection_id=x", "has_errors=perhaps"],
    )
    def test_filters_that_cannot_be_are_refused(
        self, house: House, acme: tables.Organization, query: str
    ) -> None:
        assert house.caller(acme).get(f"/jobs?{query}").status_code == 400

    def test_before_a_hundredth_is_done_nobody_knows_when_it_ends(
        self, house: House, acme: tables.Organization
    ) -> None:
        job_id = add_job(house, acme)
        with house.store.begin() as work:
            work.jobs.note_found(job_id, 1000)
            work.commit()
        add_item(house, acme, job_id, task_id="t1")
        house.clock.moment += timedelta(minutes=1)

        progress = house.caller(acme).get(f"/jobs/{job_id}").json["progress"]

        assert (progress["done"], progress["remaining_seconds"]) == (1, None)

    def test_a_running_job_shows_how_far_it_has_come(
        self, house: House, acme: tables.Organization
    ) -> None:
        job_id = add_job(house, acme)
        with house.store.begin() as work:
            work.jobs.note_found(job_id, 8)
            work.commit()
        for number in (1, 2):
            add_item(house, acme, job_id, task_id=f"t{number}")
        house.clock.moment += timedelta(minutes=1)
        caller = house.caller(acme)

        listing = caller.get(f"/jobs/{job_id}").json["progress"]
        with house.store.begin() as work:
            work.jobs.expect(job_id, 2, now=NOW)
            work.commit()

        assert listing == {
            "done": 2,
            "total": 8,
            "is_listing": True,
            "rate_per_minute": 2.0,
            "remaining_seconds": 180.0,
        }
        assert caller.get(f"/jobs/{job_id}").json["progress"] is None

    def test_the_items_of_a_job(self, house: House, acme: tables.Organization) -> None:
        job_id = add_job(house, acme)
        add_item(house, acme, job_id, task_id="t1", event_id="e1")
        later = NOW + timedelta(minutes=1)
        add_item(
            house,
            acme,
            job_id,
            task_id="t2",
            outcome="failed",
            reason="remote_unavailable",
            error="the CRM did not answer",
            attempts=2,
            next_attempt_at=later,
            changes={"title": {"before": "A", "after": "B"}},
        )
        caller = house.caller(acme)

        newest, oldest = caller.get(f"/jobs/{job_id}/items").json["items"]

        assert newest == {
            "id": newest["id"],
            "at": AT,
            "task_id": "t2",
            "event_id": None,
            "action": "create_event",
            "outcome": "failed",
            "reason": "remote_unavailable",
            "error": "the CRM did not answer",
            "attempts": 2,
            "next_attempt_at": later.isoformat().replace("+00:00", "Z"),
            "changes": {"title": {"before": "A", "after": "B"}},
            "explanation": errors.explain("remote_unavailable"),
            "crm": None,
            "google": None,
        }
        assert (oldest["task_id"], oldest["error"]) == ("t1", None)
        assert caller.get(f"/jobs/{job_id}").json["processed"] == 2

    def test_of_a_shared_job_a_user_sees_the_own_records(
        self, house: House, acme: tables.Organization
    ) -> None:
        mine = house.connection(acme, "u1")
        other = house.connection(acme, "u2")
        shared = add_job(house, acme)
        foreign = add_job(house, acme)
        add_item(house, acme, shared, task_id="t1", connection_id=mine.id)
        add_item(house, acme, shared, task_id="t2", connection_id=other.id)
        add_item(house, acme, foreign, task_id="t3", connection_id=other.id)
        caller = house.caller(acme, "user", "u1")

        items = caller.get(f"/jobs/{shared}/items").json["items"]

        assert ids(caller.get("/jobs")) == [shared]
        assert [item["task_id"] for item in items] == ["t1"]
        assert caller.get(f"/jobs/{foreign}").status_code == 404
        assert caller.get(f"/jobs/{foreign}/items").status_code == 404

    def test_of_an_own_job_a_user_sees_everything(
        self, house: House, acme: tables.Organization
    ) -> None:
        mine = house.connection(acme, "u1")
        job_id = add_job(house, acme, mine.id)
        add_item(house, acme, job_id, task_id="t1")
        caller = house.caller(acme, "user", "u1")

        assert len(caller.get(f"/jobs/{job_id}/items").json["items"]) == 1

    def test_a_filter_does_not_show_a_user_other_connections(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, "u1")
        other = house.connection(acme, "u2")
        add_job(house, acme, other.id)
        caller = house.caller(acme, "user", "u1")

        assert ids(caller.get(f"/jobs?connection_id={other.id}")) == []


class TestConflicts:
    """Conflicts."""

    def test_a_conflict_is_shown_with_both_sides(
        self, house: House, acme: tables.Organization
    ) -> None:
        row_id = self.flag(house, acme, "u1", task_id="t1", event_id="e1")

        (item,) = house.caller(acme).get("/conflicts").json["items"]

        assert item == {
            "id": row_id,
            "task_id": "t1",
            "event_id": "e1",
            "crm_user_id": "u1",
            "created_at": AT,
            "state": "open",
            "fields": ["title"],
            "baseline": {"title": "A"},
            "crm": {"title": "B"},
            "google": {"title": "C"},
            "version": 1,
            "choice": None,
            "crm_edited_at": None,
            "google_edited_at": None,
        }

    def test_conflicts_are_filtered(
        self, house: House, acme: tables.Organization
    ) -> None:
        first = self.flag(house, acme, "u1")
        second = self.flag(house, acme, "u2", state="resolved")
        get = house.caller(acme).get

        assert ids(get("/conflicts")) == [second, first]
        assert ids(get("/conflicts?state=open")) == [first]
        assert get("/conflicts?state=lost").status_code == 400

    def test_a_user_sees_the_own_ones(
        self, house: House, acme: tables.Organization
    ) -> None:
        mine = self.flag(house, acme, "u1")
        self.flag(house, acme, "u2")

        assert ids(house.caller(acme, "user", "u1").get("/conflicts")) == [mine]

    @staticmethod
    def flag(
        house: House,
        organization: tables.Organization,
        user_id: str,
        state: str = "open",
        **link: Any,  # noqa: ANN401 - columns
    ) -> int:
        """Store a conflict."""
        with house.store.begin() as work:
            row = work.conflicts.add(
                tables.Conflict(
                    organization_id=organization.id,
                    link_id=store_rows.add_link(work, organization, **link).id,
                    crm_user_id=user_id,
                    state=state,
                    fields=["title"],
                    baseline={"title": "A"},
                    crm={"title": "B"},
                    google={"title": "C"},
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            work.commit()
        return row.id


class TestLinks:
    """Why did this happen."""

    @pytest.fixture
    def link(self, house: House, acme: tables.Organization) -> tables.Link:
        """Return a link on u1's calendar, whose task u2 owns."""
        connection = house.connection(acme, "u1")
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(work, connection)
            row = store_rows.add_link(
                work,
                acme,
                task_id="t1",
                event_id="e1",
                state="active",
                calendar_id=calendar.id,
                baseline={"meeting": {"title": "A"}},
                task={"id": "t1", "owner_id": "u2"},
            )
            work.commit()
        return row

    def test_a_link_is_found_by_either_side_with_its_history(
        self, house: House, acme: tables.Organization, link: tables.Link
    ) -> None:
        job_id = add_job(house, acme)
        add_item(house, acme, job_id, task_id="t1", delivery_id="before")
        add_item(
            house,
            acme,
            job_id,
            task_id="t1",
            event_id="e1",
            link_id=link.id,
            reason="event_edited",
            crm={"title": "A"},
            google={"title": "B"},
        )
        caller = house.caller(acme)

        answer = caller.get("/links?task_id=t1")

        (found,) = answer.json["items"]
        assert answer.json["next_cursor"] is None
        assert (found["task_id"], found["event_id"]) == ("t1", "e1")
        assert found["state"] == "active"
        assert found["baseline"] == {"meeting": {"title": "A"}}
        assert [line["reason"] for line in found["history"]] == [
            "event_edited",
            "task_created",
        ]
        assert found["history"][0] == {
            "job_id": job_id,
            "at": AT,
            "action": "create_event",
            "outcome": "applied",
            "reason": "event_edited",
            "explanation": "The event was edited: the task followed.",
            "error": None,
            "changes": None,
            "next_attempt_at": None,
            "crm": {"title": "A"},
            "google": {"title": "B"},
        }
        by_event = caller.get("/links?event_id=e1").json["items"]
        assert [item["task_id"] for item in by_event] == ["t1"]

    def test_a_record_without_link_has_a_history_all_the_same(
        self, house: House, acme: tables.Organization
    ) -> None:
        add_item(
            house,
            acme,
            add_job(house, acme),
            task_id="t9",
            action="none",
            outcome="skipped",
            reason="no_due_date",
        )

        (found,) = house.caller(acme).get("/links?task_id=t9").json["items"]

        assert (found["task_id"], found["event_id"]) == ("t9", None)
        assert (found["state"], found["baseline"]) == (None, None)
        assert [line["reason"] for line in found["history"]] == ["no_due_date"]

    def test_of_an_unknown_record_nothing_is_known(
        self, house: House, acme: tables.Organization
    ) -> None:
        answer = house.caller(acme).get("/links?event_id=e9")

        assert answer.json == {"items": [], "next_cursor": None}

    @pytest.mark.parametrize("query", ["", "?task_id=t1&event_id=e1", "?task_id="])
    def test_one_record_is_asked_for_at_a_time(
        self, house: House, acme: tables.Organization, query: str
    ) -> None:
        assert house.caller(acme).get(f"/links{query}").status_code == 400

    @pytest.mark.parametrize(
        ("user_id", "count"), [("u1", 1), ("u2", 1), ("u3", 0), ("u4", 0)]
    )
    @pytest.mark.usefixtures("link")
    def test_a_link_is_its_calendars_and_its_tasks_users(
        self, house: House, acme: tables.Organization, user_id: str, count: int
    ) -> None:
        for other in ("u2", "u3"):
            house.connection(acme, other)
        caller = house.caller(acme, "user", user_id)

        assert len(caller.get("/links?task_id=t1").json["items"]) == count

    def test_a_guest_with_a_copy_sees_the_link(
        self, house: House, acme: tables.Organization, link: tables.Link
    ) -> None:
        guest = house.connection(acme, "u3")
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(work, guest)
            work.copies.add(
                tables.Copy(
                    calendar_id=calendar.id,
                    event_id="e1",
                    link_id=link.id,
                    etag='"1"',
                    document={},
                )
            )
            work.commit()
        caller = house.caller(acme, "user", "u3")

        assert len(caller.get("/links?event_id=e1").json["items"]) == 1

    def test_a_user_sees_what_was_decided_about_the_own_records_only(
        self, house: House, acme: tables.Organization
    ) -> None:
        mine = house.connection(acme, "u1")
        other = house.connection(acme, "u2")
        job_id = add_job(house, acme)
        add_item(house, acme, job_id, event_id="e8", connection_id=mine.id)
        add_item(house, acme, job_id, event_id="e9", connection_id=other.id)
        caller = house.caller(acme, "user", "u1")

        assert len(caller.get("/links?event_id=e8").json["items"]) == 1
        assert caller.get("/links?event_id=e9").json["items"] == []

    @pytest.mark.usefixtures("link")
    def test_links_of_another_organization_are_not_there(self, house: House) -> None:
        caller = house.caller(house.organization("other"))

        assert caller.get("/links?task_id=t1").json["items"] == []
