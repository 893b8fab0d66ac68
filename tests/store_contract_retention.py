"""What becomes of what is old, and of the ids of what was deleted, everywhere."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import delete

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ConflictState, Direction, JobState
from shared.domain.messages import Trigger
from tests import store_rows
from tests.store_contract_pages import add_job
from tests.store_rows import LATER, NOW

DAY = timedelta(days=1)


class RetentionContract(store_rows.OrganizationFixture):
    """What is old goes, the oldest first, so many at a time."""

    def test_old_lines_of_the_history_go_and_then_their_jobs(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for at in (NOW - DAY, NOW - 2 * DAY, NOW - 3 * DAY, NOW):
                add_line(work, acme, at=at)
            work.commit()

        first, second = (_forget_items(store, acme, NOW, limit=2) for _ in range(2))
        with store.begin() as work:
            jobs = work.jobs.forget_before(LATER, limit=10)
            work.commit()

        with store.read() as work:
            left = work.items.history_of_event(acme.id, "e1")
            job = work.jobs.by_id(left[0].job_id)
        assert (first, second, jobs) == (2, 1, 3)
        assert ([item.at for item in left], job.state) == ([NOW], JobState.SUCCEEDED)

    def test_a_job_that_runs_stays_with_its_lines(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            add_line(work, acme, at=NOW, expected=2)
            work.commit()

        gone = _forget_items(store, acme, LATER, limit=10)
        with store.begin() as work:
            gone += work.jobs.forget_before(LATER, limit=10)
            work.commit()

        assert gone == 0

    def test_a_job_that_will_never_end_is_ended(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            endless = add_line(work, acme, at=NOW, expected=2).job_id
            later = add_line(work, acme, at=LATER, expected=2).job_id
            work.commit()

        with store.begin() as work:
            ended = work.jobs.end_begun_before(LATER, limit=10)
            work.commit()

        with store.read() as work:
            states = [work.jobs.by_id(job_id).state for job_id in (endless, later)]
        assert (ended, states) == (1, [JobState.FAILED, JobState.RUNNING])

    def test_lines_of_another_organization_are_another_matter(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            beta = store_rows.add_organization(work, "beta")
            add_line(work, beta, at=NOW)
            work.commit()

        assert _forget_items(store, acme, LATER, limit=10) == 0

    def test_only_settled_conflicts_get_old(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            ids = [
                add_conflict(work, acme, resolved_at=at).id
                for at in (NOW, NOW - DAY, None, LATER)
            ]
            work.commit()

        with store.begin() as work:
            gone = [work.conflicts.forget_before(LATER, limit=1) for _ in range(3)]
            work.commit()

        with store.read() as work:
            left = [row.id for row in work.conflicts.page(acme.id, limit=9).rows]
        assert gone == [1, 1, 0]
        assert left == [ids[3], ids[2]]

    def test_dead_letters_get_old(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for at in (NOW, NOW - DAY, LATER):
                add_letter(work, acme, at)
            work.commit()

        with store.begin() as work:
            gone = [work.dead_letters.forget_before(LATER, limit=1) for _ in range(3)]
            work.commit()

        with store.read() as work:
            left = work.dead_letters.page(acme.id, limit=9).rows
        assert gone == [1, 1, 0]
        assert [row.created_at for row in left] == [LATER]


class IdsContract(store_rows.OrganizationFixture):
    """What is deleted may still be named by a message."""

    @pytest.mark.parametrize(
        "table", [tables.Connection, tables.Calendar, tables.Job, tables.Conflict]
    )
    def test_an_id_is_never_used_twice(
        self, store: Store, acme: tables.Organization, table: type[tables.Base]
    ) -> None:
        first = _add_one(store, acme, table)
        with store.engine.begin() as connection:
            for each in reversed(tables.Base.metadata.sorted_tables):
                if each.name not in {"organizations", "alembic_version"}:
                    connection.execute(delete(each))

        second = _add_one(store, acme, table)

        assert second > first

    def test_what_is_stored_survives_that_ids_are_counted_on(
        self, empty_url: str
    ) -> None:
        store = Store(empty_url, keys=crypto.Keys([store_rows.KEY]))
        with store.engine.begin() as connection:
            command.upgrade(migrations.config(connection), "0002")
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            connected = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connected)
            link = store_rows.add_link(work, acme, calendar_id=calendar.id)
            store_rows.add_held_deletion(work, connected)
            add_conflict(work, acme)
            add_line(work, acme, at=NOW, link_id=link.id)
            work.commit()

        migrations.upgrade(store.engine)

        with store.read() as work:
            assert work.connections.by_id(connected.id).state == "active"
            assert work.calendars.selected_of(connected.id) is not None
            assert work.links.by_id(link.id).calendar_id == calendar.id
            assert work.conflicts.count_open(acme.id) == 1
            (item,) = work.items.history_of_link(link.id)
            assert work.jobs.by_id(item.job_id).state == JobState.SUCCEEDED
        store.close()


def _forget_items(
    store: Store, organization: tables.Organization, before: datetime, *, limit: int
) -> int:
    with store.begin() as work:
        gone = work.items.forget_before(organization.id, before, limit=limit)
        work.commit()
    return gone


def add_conflict(
    work: UnitOfWork,
    organization: tables.Organization,
    *,
    resolved_at: datetime | None = None,
    link: tables.Link | None = None,
) -> tables.Conflict:
    """Store a conflict of u1's, open unless it was resolved then."""
    link = link or store_rows.add_link(work, organization)
    return work.conflicts.add(
        tables.Conflict(
            organization_id=organization.id,
            link_id=link.id,
            crm_user_id="u1",
            state=ConflictState.RESOLVED if resolved_at else ConflictState.OPEN,
            fields=["title"],
            created_at=NOW - 9 * DAY,
            updated_at=NOW - 9 * DAY,
            resolved_at=resolved_at,
        )
    )


def add_letter(
    work: UnitOfWork, organization: tables.Organization, at: datetime
) -> None:
    """File a dead letter at a moment."""
    work.dead_letters.file(
        tables.DeadLetter(
            organization_id=organization.id,
            delivery_id=at.isoformat(),
            queue="records",
            reason="mapping",
            error="event e1: no start",
            attempts=1,
            message="{}",
            created_at=at,
        )
    )


def add_line(
    work: UnitOfWork,
    organization: tables.Organization,
    *,
    at: datetime,
    expected: int = 1,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.JobItem:
    """Store what became of a record, in a job that ends with so many."""
    job = work.jobs.start(
        organization_id=organization.id,
        connection_id=columns.get("connection_id"),
        trigger=Trigger.WEBHOOK,
        direction=Direction.GOOGLE_TO_CRM,
        now=at,
        expected=expected,
    )
    values = {"event_id": "e1", "delivery_id": at.isoformat()} | columns
    return work.items.record(
        tables.JobItem(
            job_id=job.id,
            organization_id=organization.id,
            action="update_task",
            outcome="applied",
            reason="event_edited",
            attempts=1,
            at=at,
            **values,
        )
    )


def _add_one(
    store: Store, organization: tables.Organization, table: type[tables.Base]
) -> int:
    """Store one of each, and return the id of that in a table."""
    with store.begin() as work:
        connection = store_rows.add_connection(work, organization)
        calendar = store_rows.add_calendar(work, connection)
        job = add_job(work, organization)
        conflict = add_conflict(work, organization)
        work.commit()
    (id_,) = [
        row.id for row in (connection, calendar, job, conflict) if type(row) is table
    ]
    return id_
