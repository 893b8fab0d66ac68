"""The store on PostgreSQL."""

import time

import pytest
from sqlalchemy import text

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store
from shared.domain import errors
from tests import (
    store_contract,
    store_contract_access,
    store_contract_belongings,
    store_contract_history,
    store_contract_pages,
    store_contract_parties,
    store_contract_receiver,
    store_contract_records,
    store_contract_retention,
    store_contract_schema,
    store_contract_watching,
    store_rows,
)
from tests.store_process import Process

DEADLINE_SECONDS = 10


@pytest.fixture
def url(postgres_url: str) -> str:
    """Return the address of a database with the newest schema."""
    store = Store(postgres_url, keys=crypto.Keys([store_rows.KEY]))
    migrations.upgrade(store.engine)
    store.close()
    return postgres_url


@pytest.fixture
def empty_url(postgres_url: str) -> str:
    """Return the address of a database without tables."""
    return postgres_url


class TestUnitOfWork(store_contract.UnitOfWorkContract):
    """On PostgreSQL."""


class TestSecrets(store_contract.SecretsContract):
    """On PostgreSQL."""


class TestLocks(store_contract_schema.LocksContract):
    """On PostgreSQL."""


class TestSchema(store_contract_schema.SchemaContract):
    """On PostgreSQL."""


class TestParties(store_contract_parties.PartiesContract):
    """On PostgreSQL."""


class TestCalendars(store_contract_records.CalendarsContract):
    """On PostgreSQL."""


class TestLinks(store_contract_records.LinksContract):
    """On PostgreSQL."""


class TestHistory(store_contract_history.HistoryContract):
    """On PostgreSQL."""


class TestConflicts(store_contract_access.ConflictsContract):
    """On PostgreSQL."""


class TestDeadLetters(store_contract_access.DeadLettersContract):
    """On PostgreSQL."""


class TestAccess(store_contract_access.AccessContract):
    """On PostgreSQL."""


class TestHistoryQueries(store_contract_receiver.HistoryQueriesContract):
    """On PostgreSQL."""


class TestConnectionQueries(store_contract_receiver.ConnectionQueriesContract):
    """On PostgreSQL."""


class TestLetterQueries(store_contract_receiver.LetterQueriesContract):
    """On PostgreSQL."""


class TestSettingsQueries(store_contract_receiver.SettingsQueriesContract):
    """On PostgreSQL."""


class TestRoster(store_contract_pages.RosterContract):
    """On PostgreSQL."""


class TestWatching(store_contract_watching.WatchingContract):
    """On PostgreSQL."""


class TestActivity(store_contract_pages.ActivityContract):
    """On PostgreSQL."""


class TestRetention(store_contract_retention.RetentionContract):
    """On PostgreSQL."""


class TestIds(store_contract_retention.IdsContract):
    """On PostgreSQL."""


class TestBelongings(store_contract_belongings.BelongingsContract):
    """On PostgreSQL."""


class TestPostgresql(store_rows.StoreFixture):
    """What several processes and a server of its own bring about."""

    def test_the_lock_of_a_killed_process_is_free_again(
        self, store: Store, url: str
    ) -> None:
        with Process("hold-lock", url) as process:
            held = process.line()
            with store.try_lock("link:1") as meanwhile:
                pass
            process.kill()

            assert (held, meanwhile) == ("held True", False)
            assert _becomes_free(store, "link:1")

    def test_a_lock_ends_quietly_when_its_connection_was_lost(
        self, store: Store
    ) -> None:
        with store.try_lock("link:1") as held:
            _disconnect_others(store)

        with store.try_lock("link:1") as again:
            assert (held, again) == (True, True)

    def test_a_store_reconnects_after_its_connections_were_lost(
        self, store: Store
    ) -> None:
        store.ping()
        with store.read() as work:
            work.organizations.all()
        other = Store(
            store.engine.url.render_as_string(hide_password=False),
            keys=crypto.Keys([store_rows.KEY]),
        )
        _disconnect_others(other)
        other.close()

        store.ping()
        with store.read() as work:
            assert work.organizations.all() == []

    def test_a_server_that_is_not_there_is_an_unusable_database(self) -> None:
        address = "postgresql://nobody:hidden@127.0.0.1:1/nothing"
        store = Store(address, keys=crypto.Keys([store_rows.KEY]))

        with pytest.raises(errors.RemoteUnavailableError) as caught:
            store.ping()
        with pytest.raises(errors.RemoteUnavailableError), store.try_lock("link:1"):
            pass

        assert "hidden" not in str(caught.value)

    def test_a_forked_process_works_with_connections_of_its_own(self, url: str) -> None:
        with Process("fork", url) as process:
            assert process.lines() == ["child added beta", "parent sees acme beta"]


def _becomes_free(store: Store, key: str) -> bool:
    """Tell whether a lock can be taken before the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        with store.try_lock(key) as held:
            if held:
                return True
    return False


def _disconnect_others(store: Store) -> None:
    """Have the server close all connections to this database but our own."""
    with store.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
