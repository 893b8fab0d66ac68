"""What locks and migrations must do on every database.

A test module derives from these classes and provides `url`, a database with the newest
schema, and `empty_url`, one without any.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import autogenerate, command
from alembic.migration import MigrationContext
from sqlalchemy import text

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store
from tests import store_rows


class LocksContract(store_rows.StoreFixture):
    """Record locks between threads."""

    def test_a_lock_has_one_holder(self, store: Store) -> None:
        with store.try_lock("link:1") as first, store.try_lock("link:1") as second:
            assert (first, second) == (True, False)

    def test_who_did_not_get_a_lock_does_not_free_it(self, store: Store) -> None:
        with store.try_lock("link:1"):
            with store.try_lock("link:1"):
                pass

            with store.try_lock("link:1") as third:
                assert third is False

    def test_locks_of_other_records_are_free(self, store: Store) -> None:
        with store.try_lock("link:1"), store.try_lock("link:2") as other:
            assert other is True

    def test_locks_are_taken_together_or_not_at_all(self, store: Store) -> None:
        with store.try_lock("link:2"):
            with store.try_lock("link:1", "link:2") as both:
                pass
            with store.try_lock("link:1") as first:
                pass

        assert (both, first) == (False, True)

    def test_locks_that_were_taken_together_are_held_together(
        self, store: Store
    ) -> None:
        with store.try_lock("link:1", "link:2") as both:
            with store.try_lock("link:1") as first:
                pass
            with store.try_lock("link:2") as second:
                pass

        assert (both, first, second) == (True, False, False)

    def test_no_lock_at_all_is_held_at_once(self, store: Store) -> None:
        with store.try_lock() as nothing:
            assert nothing

    def test_a_lock_is_free_again_after_an_error(self, store: Store) -> None:
        with pytest.raises(RuntimeError), store.try_lock("link:1"):
            raise RuntimeError

        with store.try_lock("link:1") as again:
            assert again is True

    def test_of_many_threads_one_gets_the_lock(self, store: Store) -> None:
        done = threading.Barrier(8)

        def take(_: int) -> bool:
            with store.try_lock("link:1") as held:
                done.wait()
                return held

        assert sorted(store_rows.at_once(8, take), key=str) == [False] * 7 + [True]

    def test_many_holders_of_locks_open_units_of_work(self, store: Store) -> None:
        ready = threading.Barrier(24)

        def work_on(number: int) -> bool:
            with store.try_lock(f"link:{number}") as held:
                ready.wait()
                with store.begin() as work:
                    store_rows.add_organization(work, f"org-{number}")
                    work.commit()
                return held

        assert all(store_rows.at_once(24, work_on))


class SchemaContract(store_rows.StoreFixture):
    """The migrations and the tables say the same."""

    @pytest.fixture
    def empty(self, empty_url: str) -> Iterator[Store]:
        """Return a store on a database without tables."""
        store = Store(empty_url, keys=crypto.Keys([store_rows.KEY]))
        yield store
        store.close()

    def test_the_migrated_schema_is_that_of_the_tables(self, empty: Store) -> None:
        migrations.upgrade(empty.engine)

        with empty.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            # Alembic takes several sets of tables, its annotation one.
            known: Any = migrations.METADATA
            assert autogenerate.compare_metadata(context, known) == []

    def test_a_database_is_current_once_it_is_migrated(self, empty: Store) -> None:
        before = migrations.is_current(empty.engine)
        migrations.upgrade(empty.engine)
        after = migrations.is_current(empty.engine)

        assert (before, after) == (False, True)

    def test_the_schema_of_a_later_release_will_do(self, store: Store) -> None:
        with store.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))

        migrations.upgrade(store.engine)

        assert migrations.is_current(store.engine)

    def test_migrating_again_changes_nothing(self, store: Store) -> None:
        with store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

        migrations.upgrade(store.engine)

        with store.begin() as work:
            assert work.organizations.by_name("acme") is not None

    def test_several_processes_may_migrate_at_once(self, empty_url: str) -> None:
        def migrate(_: int) -> bool:
            # A store of its own has connections of its own, as a process has.
            store = Store(empty_url, keys=crypto.Keys([store_rows.KEY]))
            migrations.upgrade(store.engine)
            is_current = migrations.is_current(store.engine)
            store.close()
            return is_current

        assert store_rows.at_once(4, migrate) == [True] * 4

    def test_the_first_tables_can_be_taken_back(self, store: Store) -> None:
        with store.engine.begin() as connection:
            command.downgrade(migrations.config(connection), "base")

        assert not migrations.is_current(store.engine)

    def test_a_store_answers_a_ping(self, store: Store) -> None:
        store.ping()
