"""A receiver for every test, on a copy of a migrated database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store, tables
from tests import store_rows
from tests.unit.receiver import house as houses


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("receiver") / "migrated.db"
    store = Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))
    migrations.upgrade(store.engine)
    store.close()
    return path


@pytest.fixture(scope="session")
def built_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[houses.House]:
    """Return a receiver that outlives its databases."""
    with houses.standing(tmp_path_factory.mktemp("house") / "store.db") as house:
        yield house


@pytest.fixture
def house(built_once: houses.House, migrated: Path) -> houses.House:
    """Return a receiver with nobody in it."""
    built_once.move_into(migrated)
    return built_once


@pytest.fixture
def acme(house: houses.House) -> tables.Organization:
    """Return an organization."""
    return house.organization()
