"""A user is copied and deleted on PostgreSQL, while workers go on."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.exc import IntegrityError

from deploy import migrations
from deploy.cli import main
from shared.adapters import crypto
from shared.adapters.store import Store, tables
from shared.domain import errors
from tests import logs, store_rows
from tests.store_contract_belongings import Person, add_copy, add_person

ANN = ("--org=acme", "--user=u1")


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """Return a store with an organization in it."""
    opened = Store(postgres_url, keys=crypto.Keys([store_rows.KEY]))
    migrations.upgrade(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def acme(store: Store) -> tables.Organization:
    """Return an organization."""
    with store.begin() as work:
        row = store_rows.add_organization(work)
        work.commit()
    return row


@pytest.fixture
def ann(store: Store, acme: tables.Organization) -> Person:
    """Return Ann, who has disconnected, with all that is stored about her."""
    with store.begin() as work:
        person = add_person(work, acme, "u1")
        work.connections.forget_access(person.connection)
        work.commit()
    return person


class Typist:
    """Types commands on a database."""

    def __init__(self, url: str, folder: Path) -> None:
        """Take the database's address."""
        self._environment = {
            "DATABASE_URL": url,
            "SECRET_KEYS": store_rows.KEY,
            # The local broker is a table of the same database.
            "AMQP_URL": "",
            "LOG_LEVEL": "",
        }
        self.folder = folder

    def run(self, *arguments: str) -> Result:
        """Type a command that must succeed."""
        with logs.kept():
            result = CliRunner(env=self._environment).invoke(
                main, ["user", *arguments], catch_exceptions=False
            )
        assert result.exit_code == 0, result.output
        return result


@pytest.fixture
def typist(postgres_url: str, tmp_path: Path) -> Typist:
    """Return who types commands."""
    return Typist(postgres_url, tmp_path)


def test_a_user_is_copied_and_then_deleted(
    store: Store, ann: Person, typist: Typist
) -> None:
    file = typist.folder / "ann.json"

    typist.run("export", *ANN, f"--output={file}")
    typist.run("delete", *ANN, "--yes")

    copy = json.loads(file.read_text("utf-8"))
    assert [row["id"] for row in copy["links"]] == [ann.link.id]
    with store.read() as work:
        assert work.connections.get(ann.connection.id) is None
        assert work.belongings.count(ann.owner) == {}


def test_whoever_stores_more_just_then_waits_and_finds_nothing(
    store: Store, ann: Person
) -> None:
    deleted, failures = threading.Event(), []

    def store_more() -> None:
        try:
            with store.begin() as work:
                add_copy(work, ann.calendar, None, event_id="late")
                work.commit()
        except (IntegrityError, errors.SyncError) as error:
            failures.append((deleted.is_set(), type(error)))

    with store.begin() as work:
        for part in work.belongings.count(ann.owner):
            work.belongings.remove_some(part, ann.owner, limit=9)
        is_gone = work.belongings.remove_connection(ann.owner)
        other = threading.Thread(target=store_more)
        other.start()
        other.join(0.3)
        waited = other.is_alive()
        deleted.set()
        work.commit()
    other.join()

    assert (is_gone, waited) == (True, True)
    assert failures == [(True, IntegrityError)]
