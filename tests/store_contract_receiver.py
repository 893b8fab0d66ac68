"""What the receiver's own queries must do on every database."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import JobFilter, Store, UnitOfWork, tables
from shared.adapters.store.repositories.jobs import JobTotals
from shared.adapters.store.states import ChannelState, Direction
from shared.domain.messages import Trigger
from tests import store_rows
from tests.store_rows import LATER, NOW

REFRESH_TOKEN = "r1"  # noqa: S105 - made up


def add_job(
    work: UnitOfWork,
    organization: tables.Organization,
    connection: tables.Connection | None = None,
) -> tables.Job:
    """Store a job that begins now."""
    return work.jobs.start(
        organization_id=organization.id,
        connection_id=connection.id if connection else None,
        trigger=Trigger.SCHEDULE,
        direction=Direction.BOTH,
        now=NOW,
    )


def add_item(
    work: UnitOfWork,
    job: tables.Job,
    connection: tables.Connection | None = None,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.JobItem:
    """Store what became of a record in a job."""
    values: dict[str, Any] = {"delivery_id": "d1", "outcome": "applied"} | columns
    return work.items.record(
        tables.JobItem(
            job_id=job.id,
            organization_id=job.organization_id,
            connection_id=connection.id if connection else None,
            action="none",
            reason="unchanged",
            attempts=1,
            at=NOW,
            **values,
        )
    )


def add_channel(
    work: UnitOfWork,
    calendar: tables.Calendar,
    channel_id: str,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Channel:
    """Store a channel, an open one unless `columns` say otherwise."""
    values = {"state": ChannelState.OPEN, "created_at": NOW} | columns
    return work.channels.add(
        tables.Channel(id=channel_id, calendar_id=calendar.id, **values)
    )


class HistoryQueriesContract(store_rows.OrganizationFixture):
    """Whose jobs and items they are, and what they add up to."""

    def test_the_jobs_of_a_connection_are_its_own_and_those_with_its_records(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            mine = store_rows.add_connection(work, acme, "u1")
            other = store_rows.add_connection(work, acme, "u2")
            own, shared, foreign = (
                add_job(work, acme, mine),
                add_job(work, acme),
                add_job(work, acme),
            )
            for number in ("1", "2"):
                add_item(work, shared, mine, delivery_id=number)
            add_item(work, shared, other, delivery_id="3")
            add_item(work, foreign, other)

            page = work.jobs.page(acme.id, JobFilter(connection_ids=[mine.id]), limit=9)
            items = work.items.page_of_job(shared.id, connection_id=mine.id, limit=9)
            concerned = [work.jobs.concerns(j, mine.id) for j in (own, shared, foreign)]

        assert [row.id for row in page.rows] == [shared.id, own.id]
        assert [row.delivery_id for row in items.rows] == ["2", "1"]
        assert concerned == [True, True, False]

    def test_jobs_add_up_since_a_time(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            other = store_rows.add_organization(work, "other")
            add_job(work, other)
            for outcome in ("failed", "conflict", "applied"):
                add_item(work, add_job(work, acme), outcome=outcome)

            since = work.jobs.totals_since(acme.id, NOW)
            later = work.jobs.totals_since(acme.id, LATER)

        assert since == JobTotals(jobs=3, processed=3, conflicts=1, errors=1)
        assert later == JobTotals(jobs=0, processed=0, conflicts=0, errors=0)

    def test_a_job_that_could_not_be_queued_has_failed(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            job = add_job(work, acme)
            work.jobs.fail(job.id, now=LATER)
            work.commit()

        with store.read() as work:
            row = work.jobs.by_id(job.id)
        assert (row.state, row.finished_at) == ("failed", LATER)


class ConnectionQueriesContract(store_rows.OrganizationFixture):
    """Connections with their calendars and channels."""

    def test_connections_are_counted_by_state(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for user_id, state in (
                ("u1", "active"),
                ("u2", "active"),
                ("u3", "paused"),
            ):
                store_rows.add_connection(work, acme, user_id, state=state)
            other = store_rows.add_organization(work, "other")
            store_rows.add_connection(work, other)

            assert work.connections.count_by_state(acme.id) == {
                "active": 2,
                "paused": 1,
            }

    @pytest.mark.parametrize(
        ("columns", "is_shared"),
        [
            ({"google_sub": "1001", "refresh_token": "r"}, True),
            ({"google_sub": "1001", "refresh_token": None}, False),
            ({"google_sub": "1002", "refresh_token": "r"}, False),
        ],
    )
    def test_an_account_is_shared_with_whoever_holds_its_tokens(
        self,
        store: Store,
        acme: tables.Organization,
        columns: dict[str, Any],
        is_shared: bool,  # noqa: FBT001 - a parameter of the test
    ) -> None:
        with store.begin() as work:
            mine = store_rows.add_connection(
                work, acme, "u1", google_sub="1001", refresh_token=REFRESH_TOKEN
            )
            store_rows.add_connection(work, acme, "u2", **columns)

            assert work.connections.shares_account(mine) is is_shared

    def test_selected_calendars_are_found_by_connection(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            first, second = (
                store_rows.add_connection(work, acme, user_id)
                for user_id in ("u1", "u2")
            )
            chosen = store_rows.add_calendar(work, first, "a")
            store_rows.add_calendar(work, first, "b", is_selected=False)
            other = store_rows.add_calendar(work, second, "a")

            before = work.calendars.selected_among([first.id, second.id])
            work.calendars.select_none(first.id)
            after = work.calendars.selected_among([first.id, second.id])

        assert {key: row.id for key, row in before.items()} == {
            first.id: chosen.id,
            second.id: other.id,
        }
        assert list(after) == [second.id]

    def test_the_newest_open_channel_counts(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            connection = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connection)
            add_channel(work, calendar, "new", created_at=LATER)
            add_channel(work, calendar, "old")
            add_channel(
                work,
                calendar,
                "closed",
                state=ChannelState.CLOSED,
                created_at=LATER + timedelta(hours=1),
            )

            found = work.channels.open_among([calendar.id])
            work.channels.close_all_of(connection.id)
            after = work.channels.open_among([calendar.id])

        assert {key: row.id for key, row in found.items()} == {calendar.id: "new"}
        assert after == {}

    def test_open_channels_are_counted_by_whether_they_expired(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            nothing = work.channels.count_open(acme.id, now=NOW)
            connection = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connection)
            add_channel(work, calendar, "live", expires_at=LATER)
            add_channel(work, calendar, "for ever")
            add_channel(work, calendar, "expired", expires_at=NOW)
            add_channel(work, calendar, "closed", state=ChannelState.CLOSED)

            counts = work.channels.count_open(acme.id, now=NOW)

        assert (nothing, counts) == ((0, 0), (2, 1))


class LetterQueriesContract(store_rows.OrganizationFixture):
    """Dead letters and conflicts."""

    @staticmethod
    def file(work: UnitOfWork, organization_id: int | None, delivery_id: str) -> int:
        """File a dead letter."""
        row = work.dead_letters.file(
            tables.DeadLetter(
                organization_id=organization_id,
                delivery_id=delivery_id,
                queue="records",
                reason="mapping",
                error="event e1: no start",
                attempts=1,
                message="{}",
                created_at=NOW,
            )
        )
        return row.id

    def test_nobodys_dead_letters_are_seen_by_those_who_ask_for_them(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            other = store_rows.add_organization(work, "other")
            mine = self.file(work, acme.id, "d1")
            nobodys = self.file(work, None, "d2")
            self.file(work, other.id, "d3")
            letters = work.dead_letters

            page = letters.page(acme.id, with_nobodys=True, limit=9)
            chosen = letters.by_ids(acme.id, [mine, nobodys], with_nobodys=True)
            counts = [letters.count(acme.id, with_nobodys=n) for n in (False, True)]

        assert [row.id for row in page.rows] == [nobodys, mine]
        assert [row.id for row in chosen] == [mine, nobodys]
        assert counts == [1, 2]

    def test_a_dead_letter_that_was_filed_anew_is_not_forgotten(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            self.file(work, acme.id, "d1")
            work.commit()
        with store.read() as work:
            (seen,) = work.dead_letters.page(acme.id, limit=9).rows
        with store.begin() as work:
            row = work.dead_letters.by_id(seen.id)
            row.created_at = LATER
            work.commit()

        with store.begin() as work:
            stale = work.dead_letters.forget(seen)
            fresh = work.dead_letters.forget(work.dead_letters.by_id(seen.id))

        assert (stale, fresh) == (False, True)

    def test_open_conflicts_are_counted(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            links = [store_rows.add_link(work, acme) for _ in range(2)]
            for link, state in zip(links, ("open", "resolved"), strict=True):
                work.conflicts.add(
                    tables.Conflict(
                        organization_id=acme.id,
                        link_id=link.id,
                        crm_user_id="u1",
                        state=state,
                        fields=[],
                        created_at=NOW,
                        updated_at=NOW,
                    )
                )

            count = work.conflicts.count_open(acme.id)
            found = work.links.by_ids([links[0].id, 999])

        assert count == 1
        assert list(found) == [links[0].id]


class SettingsQueriesContract(store_rows.OrganizationFixture):
    """How much a change of the settings would concern."""

    def test_events_that_we_made_are_counted_by_type(
        self, store: Store, acme: tables.Organization
    ) -> None:
        meeting = {"type": "Meeting", "status": "open", "due_at": "x", "due_date": None}
        call = meeting | {"type": "Call", "due_at": None, "due_date": "2026-03-02"}
        rows: list[dict[str, Any]] = [
            {"task": meeting},
            {"task": meeting | {"status": "completed"}},
            {"task": call},
            {"task": meeting | {"type": "Visit"}, "origin": "google"},
            {"task": meeting, "event_id": None},
            {"task": meeting, "state": "detached"},
            {"task": meeting | {"status": "cancelled"}},
            {"task": None},
        ]
        with store.begin() as work:
            for number, columns in enumerate(rows):
                known = {"event_id": f"e{number}", "state": "active"}
                work.links.add(_link(acme, **(known | columns)))

            made = work.links.count_made(acme.id)
            all_day = work.links.count_made_all_day(acme.id)
            types = work.links.task_types(acme.id)

        assert made == {"Meeting": 2, "Call": 1}
        assert all_day == 1
        assert types == ["Call", "Meeting", "Visit"]

    def test_the_newest_job_of_a_kind_tells_when_it_began(
        self, store: Store, acme: tables.Organization
    ) -> None:
        kind = (Trigger.SCHEDULE, Direction.BOTH)
        with store.begin() as work:
            before = work.jobs.last_begun(acme.id, *kind)
            add_job(work, acme)

            after = work.jobs.last_begun(acme.id, *kind)
            other = work.jobs.last_begun(acme.id, Trigger.WEBHOOK, Direction.BOTH)

        assert (before, after, other) == (None, NOW, None)


def _link(
    organization: tables.Organization,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Link:
    values = {"origin": "crm", "created_at": NOW, "updated_at": NOW} | columns
    return tables.Link(organization_id=organization.id, **values)
