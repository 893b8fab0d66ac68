"""Bringing database and broker to this release."""

from sqlalchemy import inspect

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store
from tests import store_rows
from tests.unit.cli.console import Console, lines


def test_migrating_makes_the_tables_and_the_queues(console: Console) -> None:
    url = f"sqlite:///{console.folder}/new.db"

    result = console.run("migrate", DATABASE_URL=url)

    assert result.exit_code == 0
    store = Store(url, keys=crypto.Keys([store_rows.KEY]))
    assert migrations.is_current(store.engine)
    assert inspect(store.engine).has_table("messages")
    store.close()


def test_migrating_again_changes_nothing(console: Console) -> None:
    result = console.done("migrate")

    assert result.stdout == ""
    assert len(lines(result.stderr)) == 2


def test_a_broker_that_is_away_is_told_after_the_database_is_done(
    console: Console,
) -> None:
    result = console.run("migrate", AMQP_URL="amqp://localhost:1/")

    assert result.exit_code == 1
    done, failed = lines(result.stderr)
    assert done == "The database has this release's schema."
    assert failed.startswith("Error: RabbitMQ cannot be used")
