"""A console for every test, on a copy of a migrated database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store
from tests import logs, store_rows, stub_server
from tests.unit.cli.console import Console
from tests.unit.cli.office import Office


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("cli") / "migrated.db"
    store = Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))
    migrations.upgrade(store.engine)
    store.close()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """Return a database with the newest schema and nothing in it."""
    return Path(shutil.copy(migrated, tmp_path / "calendar-sync.db"))


@pytest.fixture
def console(database: Path) -> Iterator[Console]:
    """Return a console, with the CRM beside it."""
    # Commands send the logs to the standard error of their own console.
    with logs.kept(), stub_server.running() as crm:
        console = Console(database, crm)
        yield console
        console.store.close()


@pytest.fixture
def office(console: Console) -> Iterator[Office]:
    """Return a console at which Ann is connected."""
    with stub_server.running() as google:
        yield Office(console, google)
