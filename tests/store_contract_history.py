"""What the queries on jobs and their items must do everywhere."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import JobFilter, Store, tables
from shared.adapters.store.states import Direction, JobState
from shared.domain import messages
from tests import store_rows


class HistoryContract(store_rows.OrganizationFixture):
    """Jobs and their items."""

    @staticmethod
    def start(
        store: Store,
        acme: tables.Organization,
        *,
        expected: int | None = None,
        connection_id: int | None = None,
        direction: Direction = Direction.BOTH,
    ) -> int:
        """Start a job and return its id."""
        with store.begin() as work:
            job = work.jobs.start(
                organization_id=acme.id,
                connection_id=connection_id,
                trigger=messages.Trigger.WEBHOOK,
                direction=direction,
                now=store_rows.NOW,
                expected=expected,
            )
            work.commit()
        return job.id

    @staticmethod
    def record(
        store: Store,
        acme: tables.Organization,
        job_id: int,
        delivery_id: str,
        outcome: str = "applied",
        **columns: Any,  # noqa: ANN401 - columns of the row
    ) -> None:
        """Store an item in a unit of work of its own."""
        values = {"attempts": 1, "at": store_rows.LATER} | columns
        with store.begin() as work:
            work.items.record(
                tables.JobItem(
                    job_id=job_id,
                    organization_id=acme.id,
                    delivery_id=delivery_id,
                    action="update_event",
                    outcome=outcome,
                    reason="task_edited",
                    **values,
                )
            )
            work.commit()

    @staticmethod
    def job(store: Store, job_id: int) -> tables.Job:
        """Return a job as it is now."""
        with store.begin() as work:
            return work.jobs.by_id(job_id)

    def test_a_job_of_one_record_ends_with_it(
        self, store: Store, acme: tables.Organization
    ) -> None:
        item = tables.JobItem(
            organization_id=acme.id,
            delivery_id="d1",
            action="none",
            outcome="conflict",
            reason="both_edited",
            attempts=1,
            at=store_rows.NOW,
        )
        with store.begin() as work:
            work.jobs.of_one(
                item,
                trigger=messages.Trigger.WEBHOOK,
                direction=Direction.CRM_TO_GOOGLE,
            )
            work.commit()

        with store.read() as work:
            job = work.jobs.by_id(item.job_id)
            assert (job.state, job.finished_at) == (JobState.SUCCEEDED, store_rows.NOW)
            assert (job.expected, job.processed, job.conflicts) == (1, 1, 1)

    def test_a_job_runs_until_its_last_item(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme, expected=2)

        self.record(store, acme, job_id, "d1")
        midway = self.job(store, job_id)
        self.record(store, acme, job_id, "d2")
        ended = self.job(store, job_id)

        assert (midway.state, midway.processed) == ("running", 1)
        assert midway.finished_at is None
        assert (ended.state, ended.processed) == ("succeeded", 2)
        assert ended.finished_at == store_rows.LATER

    def test_a_job_never_ends_before_it_began(
        self, store: Store, acme: tables.Organization
    ) -> None:
        ended, failed = (self.start(store, acme) for _ in range(2))
        looked = store_rows.NOW - timedelta(milliseconds=1)

        with store.begin() as work:
            work.jobs.expect(ended, 0, now=looked)
            work.jobs.fail(failed, now=looked)
            work.commit()

        assert self.job(store, ended).finished_at == store_rows.NOW
        assert self.job(store, failed).finished_at == store_rows.NOW

    def test_a_job_does_not_end_while_its_records_are_being_listed(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme)

        self.record(store, acme, job_id, "d1")
        listing = self.job(store, job_id)
        with store.begin() as work:
            work.jobs.expect(job_id, 1, now=store_rows.LATER)
            work.commit()

        assert listing.state == "running"
        assert self.job(store, job_id).state == "succeeded"

    def test_a_job_without_records_succeeds(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme)

        with store.begin() as work:
            work.jobs.expect(job_id, 0, now=store_rows.LATER)
            work.commit()

        assert self.job(store, job_id).state == "succeeded"

    @pytest.mark.parametrize(
        ("outcomes", "state", "counters"),
        [
            (["applied", "unchanged", "skipped"], "succeeded", (3, 0, 0)),
            (["applied", "failed"], "partial", (2, 0, 1)),
            (["failed", "failed"], "failed", (2, 0, 2)),
            (["conflict", "held"], "succeeded", (2, 1, 0)),
            (["conflict", "failed"], "partial", (2, 1, 1)),
        ],
    )
    def test_a_job_ends_as_its_items_did(
        self,
        store: Store,
        acme: tables.Organization,
        outcomes: list[str],
        state: str,
        counters: tuple[int, int, int],
    ) -> None:
        job_id = self.start(store, acme, expected=len(outcomes))

        for number, outcome in enumerate(outcomes):
            self.record(store, acme, job_id, f"d{number}", outcome)

        job = self.job(store, job_id)
        assert job.state == state
        assert (job.processed, job.conflicts, job.errors) == counters

    def test_a_later_attempt_corrects_the_item_and_the_job(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme, expected=1)
        self.record(
            store,
            acme,
            job_id,
            "d1",
            "failed",
            error="timeout",
            next_attempt_at=store_rows.LATER,
        )
        failed = self.job(store, job_id)

        self.record(store, acme, job_id, "d1", attempts=2)

        job = self.job(store, job_id)
        with store.begin() as work:
            (row,) = work.items.page_of_job(job_id, limit=10).rows
        assert (failed.state, failed.errors) == ("failed", 1)
        assert (job.state, job.processed, job.errors) == ("succeeded", 1, 0)
        assert (row.outcome, row.attempts) == ("applied", 2)
        assert (row.error, row.next_attempt_at) == (None, None)

    def test_workers_that_finish_items_at_once_count_each_of_them(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme, expected=24)

        def finish(worker: int) -> None:
            for number in range(3):
                outcome = "failed" if number == 0 else "applied"
                self.record(store, acme, job_id, f"{worker}-{number}", outcome)

        store_rows.at_once(8, finish)

        job = self.job(store, job_id)
        assert (job.processed, job.errors, job.state) == (24, 8, "partial")

    def test_one_delivery_that_two_workers_handle_counts_once(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme, expected=1)

        store_rows.at_once(
            4, lambda _: self.record(store, acme, job_id, "d1", "failed")
        )

        job = self.job(store, job_id)
        assert (job.processed, job.errors) == (1, 1)

    def test_jobs_are_filtered(self, store: Store, acme: tables.Organization) -> None:
        good = self.start(store, acme, expected=1, connection_id=7)
        bad = self.start(store, acme, expected=1, direction=Direction.CRM_TO_GOOGLE)
        self.record(store, acme, good, "d1")
        self.record(store, acme, bad, "d2", "failed")

        def ids(which: JobFilter) -> list[int]:
            with store.begin() as work:
                rows = work.jobs.page(acme.id, which, limit=10).rows
            return [row.id for row in rows]

        assert ids(JobFilter()) == [bad, good]
        assert ids(JobFilter(state=JobState.SUCCEEDED)) == [good]
        assert ids(JobFilter(direction=Direction.CRM_TO_GOOGLE)) == [bad]
        assert ids(JobFilter(connection_ids=[7])) == [good]
        assert ids(JobFilter(has_errors=True)) == [bad]
        assert ids(JobFilter(has_errors=False)) == [good]

    def test_the_history_of_a_record_is_found_by_each_of_its_names(
        self, store: Store, acme: tables.Organization
    ) -> None:
        job_id = self.start(store, acme)
        self.record(store, acme, job_id, "d1", task_id="t1", crm={"title": "Talk"})
        self.record(store, acme, job_id, "d2", "failed", event_id="e1", link_id=5)
        self.record(store, acme, job_id, "d3", task_id="t1", event_id="e1", link_id=5)

        with store.begin() as work:
            found = {
                "task": work.items.history_of_task(acme.id, "t1"),
                "event": work.items.history_of_event(acme.id, "e1"),
                "link": work.items.history_of_link(5, limit=1),
                "stranger": work.items.history_of_task(acme.id + 1, "t1"),
                "failed": work.items.failed_of_job(job_id),
            }

        deliveries = {
            name: [row.delivery_id for row in rows] for name, rows in found.items()
        }
        assert deliveries == {
            "task": ["d3", "d1"],
            "event": ["d3", "d2"],
            "link": ["d3"],
            "stranger": [],
            "failed": ["d2"],
        }
        assert found["task"][1].crm == {"title": "Talk"}
