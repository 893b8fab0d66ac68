"""What the store tells whoever watches all organizations, on each engine."""

from datetime import datetime, timedelta

import pytest

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ChannelState, ConflictState, ConnectionState
from shared.domain.access import Problem
from shared.domain.reconcile import Hold
from tests import store_rows
from tests.store_rows import LATER, NOW

EARLIER = NOW - timedelta(days=3)


def add_conflict(
    work: UnitOfWork, organization: tables.Organization, state: str, at: datetime
) -> None:
    """Store a conflict."""
    work.conflicts.add(
        tables.Conflict(
            organization_id=organization.id,
            link_id=store_rows.add_link(work, organization).id,
            crm_user_id="u1",
            state=state,
            fields=[],
            created_at=at,
            updated_at=at,
        )
    )


def add_channel(
    work: UnitOfWork, calendar: tables.Calendar, until: datetime | None
) -> None:
    """Store an open channel."""
    work.channels.add(
        tables.Channel(
            id=f"of {calendar.id}",
            calendar_id=calendar.id,
            state=ChannelState.OPEN,
            created_at=NOW,
            expires_at=until,
        )
    )


class WatchingContract(store_rows.StoreFixture):
    """Counts over all organizations."""

    def test_without_an_organization_everything_is_counted(self, store: Store) -> None:
        with store.begin() as work:
            for name in ("acme", "zenith"):
                row = store_rows.add_organization(work, name)
                connection = store_rows.add_connection(work, row)
                add_channel(work, store_rows.add_calendar(work, connection), LATER)
                add_conflict(work, row, ConflictState.OPEN, NOW)
                store_rows.add_held_deletion(work, connection, created_at=NOW)

            assert work.connections.count_by_state(None) == {"active": 2}
            assert work.channels.count_open(None, now=NOW) == (2, 0)
            assert work.channels.count_expiring(None, now=NOW, before=LATER) == 2
            assert work.conflicts.count_open(None) == 2
            assert work.held_deletions.count_waiting(None) == 2

    def test_the_oldest_that_waits_is_found(self, store: Store) -> None:
        with store.begin() as work:
            assert work.conflicts.oldest_open() is None
            assert work.held_deletions.oldest_waiting() is None
            row = store_rows.add_organization(work)
            connection = store_rows.add_connection(work, row)
            add_conflict(work, row, ConflictState.RESOLVED, EARLIER)
            for at in (LATER, NOW):
                add_conflict(work, row, ConflictState.OPEN, at)
            for state, at in ((Hold.APPROVED, EARLIER), (Hold.WAITING, NOW)):
                store_rows.add_held_deletion(
                    work, connection, state=state, created_at=at
                )

            assert work.conflicts.oldest_open() == NOW
            assert work.held_deletions.oldest_waiting() == NOW

    def test_what_an_admin_says_is_that_of_a_link_that_is_there(
        self, store: Store
    ) -> None:
        with store.begin() as work, pytest.raises(LookupError, match="link 99"):
            work.held_deletions.state_of(99)

    def test_connections_are_counted_by_what_ails_them(self, store: Store) -> None:
        with store.begin() as work:
            row = store_rows.add_organization(work)
            for name, problem in (
                ("u1", None),
                ("u2", Problem.REVOKED),
                ("u3", Problem.REVOKED),
                ("u4", Problem.API_DISABLED),
            ):
                store_rows.add_connection(work, row, name, problem=problem)

            counted = work.connections.count_by_problem()

        assert counted == {"revoked": 2, "api_disabled": 1}

    def test_a_calendar_that_google_should_push_for_and_does_not_is_missing(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            row = store_rows.add_organization(work)
            other = store_rows.add_organization(work, "zenith")
            active = store_rows.add_connection(work, row)
            paused = store_rows.add_connection(
                work, row, "u2", state=ConnectionState.PAUSED
            )
            elsewhere = store_rows.add_connection(work, other)
            ends = {"live": LATER, "for ever": None, "expired": NOW}
            for name, until in ends.items():
                add_channel(work, store_rows.add_calendar(work, active, name), until)
            store_rows.add_calendar(work, active, "without")
            store_rows.add_calendar(work, active, "not synced", is_selected=False)
            store_rows.add_calendar(work, active, "refused", watch_refused=True)
            store_rows.add_calendar(work, paused, "not now")
            store_rows.add_calendar(work, elsewhere, "of others")

            assert work.channels.count_missing([row.id], now=NOW) == 2
            assert work.channels.count_missing([row.id, other.id], now=NOW) == 3
            assert work.channels.count_missing([], now=NOW) == 0
