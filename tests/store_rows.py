"""Rows to begin tests of the store with, and the store itself."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters import crypto
from shared.adapters.store import Store, UnitOfWork, tables

NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = crypto.Keys.generate()


def add_organization(work: UnitOfWork, name: str = "acme") -> tables.Organization:
    """Store an organization."""
    return work.organizations.add(
        tables.Organization(
            name=name,
            crm_url="https://crm.example/api/v1",
            crm_api_key="key-of-the-crm",
            crm_webhook_secrets=["whsec_new", "whsec_old"],
            created_at=NOW,
        )
    )


def add_connection(
    work: UnitOfWork,
    organization: tables.Organization,
    crm_user_id: str = "u1",
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Connection:
    """Store a connection, an active one unless `columns` say otherwise."""
    values = {"state": "active", "created_at": NOW} | columns
    return work.connections.add(
        tables.Connection(
            organization_id=organization.id, crm_user_id=crm_user_id, **values
        )
    )


def add_calendar(
    work: UnitOfWork,
    connection: tables.Connection,
    google_calendar_id: str = "ann@example.com",
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Calendar:
    """Store a calendar, selected unless `columns` say otherwise."""
    values = {"is_selected": True, "summary": "Work"} | columns
    return work.calendars.add(
        tables.Calendar(
            connection_id=connection.id,
            google_sub="1001",
            google_calendar_id=google_calendar_id,
            time_zone="Europe/Berlin",
            access_role="owner",
            **values,
        )
    )


def add_link(
    work: UnitOfWork,
    organization: tables.Organization,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Link:
    """Store a link."""
    return work.links.add(
        tables.Link(
            organization_id=organization.id,
            origin="crm",
            created_at=NOW,
            updated_at=NOW,
            **columns,
        )
    )


def add_held_deletion(
    work: UnitOfWork,
    connection: tables.Connection,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.HeldDeletion:
    """Store a held deletion of one record."""
    values = {"side": "crm", "created_at": NOW} | columns
    row = work.held_deletions.add(
        tables.HeldDeletion(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            **values,
        )
    )
    organization = work.organizations.by_id(connection.organization_id)
    add_link(work, organization, held_deletion_id=row.id)
    return row


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """Run `act(0)`, `act(1)`, ... in threads that start together; return results."""
    ready = threading.Barrier(count)

    def run(number: int) -> object:
        ready.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class StoreFixture:
    """The store that the tests of a contract work on."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        """Return a store on a database with the newest schema."""
        store = Store(url, keys=crypto.Keys([KEY]))
        yield store
        store.close()


class OrganizationFixture(StoreFixture):
    """A store with an organization in it."""

    @pytest.fixture
    def acme(self, store: Store) -> tables.Organization:
        """Return an organization."""
        with store.begin() as work:
            row = add_organization(work)
            work.commit()
        return row
