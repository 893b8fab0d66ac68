"""The store on SQLite."""

import shutil
import sqlite3
import threading
from concurrent import futures
from pathlib import Path

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


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    store = Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))
    migrations.upgrade(store.engine)
    store.close()
    return path


@pytest.fixture
def url(migrated: Path, tmp_path: Path) -> str:
    """Return the address of a database with the newest schema."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'store.db')}"


@pytest.fixture
def empty_url(tmp_path: Path) -> str:
    """Return the address of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/new/empty.db"


class TestUnitOfWork(store_contract.UnitOfWorkContract):
    """On SQLite."""


class TestSecrets(store_contract.SecretsContract):
    """On SQLite."""


class TestLocks(store_contract_schema.LocksContract):
    """On SQLite."""


class TestSchema(store_contract_schema.SchemaContract):
    """On SQLite."""


class TestParties(store_contract_parties.PartiesContract):
    """On SQLite."""


class TestCalendars(store_contract_records.CalendarsContract):
    """On SQLite."""


class TestLinks(store_contract_records.LinksContract):
    """On SQLite."""


class TestHistory(store_contract_history.HistoryContract):
    """On SQLite."""


class TestConflicts(store_contract_access.ConflictsContract):
    """On SQLite."""


class TestDeadLetters(store_contract_access.DeadLettersContract):
    """On SQLite."""


class TestAccess(store_contract_access.AccessContract):
    """On SQLite."""


class TestHistoryQueries(store_contract_receiver.HistoryQueriesContract):
    """On SQLite."""


class TestConnectionQueries(store_contract_receiver.ConnectionQueriesContract):
    """On SQLite."""


class TestLetterQueries(store_contract_receiver.LetterQueriesContract):
    """On SQLite."""


class TestSettingsQueries(store_contract_receiver.SettingsQueriesContract):
    """On SQLite."""


class TestRoster(store_contract_pages.RosterContract):
    """On SQLite."""


class TestWatching(store_contract_watching.WatchingContract):
    """On SQLite."""


class TestActivity(store_contract_pages.ActivityContract):
    """On SQLite."""


class TestRetention(store_contract_retention.RetentionContract):
    """On SQLite."""


class TestIds(store_contract_retention.IdsContract):
    """On SQLite."""


class TestBelongings(store_contract_belongings.BelongingsContract):
    """On SQLite."""


class TestSqlite(store_rows.StoreFixture):
    """What only SQLite needs."""

    def test_only_its_owner_can_read_a_new_file(self, tmp_path: Path) -> None:
        path = tmp_path / "new.db"
        store = Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))

        store.ping()
        store.close()

        assert path.stat().st_mode & 0o777 == 0o600

    def test_writers_wait_for_each_other_instead_of_failing(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.commit()

        def write(_: int) -> None:
            for _ in range(10):
                with store.begin() as work:
                    row = work.organizations.by_id(acme.id)
                    row.crm_skew_seconds += 1
                    work.commit()

        store_rows.at_once(8, write)

        with store.begin() as work:
            assert work.organizations.by_id(acme.id).crm_skew_seconds == 80

    def test_a_store_that_several_threads_open_at_once_has_one_set_of_locks(
        self, url: str
    ) -> None:
        store = Store(url, keys=crypto.Keys([store_rows.KEY]))
        done = threading.Barrier(8)

        def take(_: int) -> bool:
            with store.try_lock("link:1") as held:
                done.wait()
                return held

        assert store_rows.at_once(8, take).count(True) == 1
        store.close()

    def test_a_file_in_write_ahead_mode_checks_its_references(
        self, store: Store
    ) -> None:
        with store.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
            assert connection.scalar(text("PRAGMA busy_timeout")) == 30_000

    def test_a_new_file_waits_for_the_process_that_makes_it_too(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "new.db"
        store = Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with futures.ThreadPoolExecutor(1) as pool:
            ping = pool.submit(store.ping)
            done, waiting = futures.wait([ping], timeout=0.2)
            other.close()
            ping.result(timeout=10)

        assert (done, waiting) == (set(), {ping})
        store.close()

    @pytest.mark.parametrize("memory", ["sqlite://", "sqlite:///:memory:"])
    def test_a_database_in_memory_is_refused(self, memory: str) -> None:
        with pytest.raises(errors.ConfigurationError, match="DATABASE_URL"):
            Store(memory, keys=crypto.Keys([store_rows.KEY]))

    def test_a_file_that_is_no_database_is_an_unusable_one(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "locked.db"
        path.mkdir()
        store = Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))

        with pytest.raises(errors.RemoteUnavailableError, match="cannot be used"):
            store.ping()
        store.close()

    def test_the_files_of_a_store_can_be_read_by_sqlite_itself(
        self, store: Store, url: str
    ) -> None:
        with store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

        with sqlite3.connect(url.removeprefix("sqlite:///")) as plain:
            found = plain.execute("SELECT name, created_at FROM organizations")
            assert found.fetchall() == [("acme", "2026-03-02 09:30:00.123456")]
        plain.close()

    def test_a_forked_process_works_with_connections_of_its_own(self, url: str) -> None:
        with Process("fork", url) as process:
            assert process.lines() == ["child added beta", "parent sees acme beta"]
