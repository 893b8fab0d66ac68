"""The local broker in a database that several threads and processes use."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert

from shared.adapters.broker_local.table import rows
from shared.domain.messages import Queue
from tests import broker_contract
from tests.broker_process import WallClock


@pytest.fixture
def put(url: str) -> Callable[[Queue, bytes], None]:
    def put(queue: Queue, body: bytes) -> None:
        engine = create_engine(url)
        with engine.begin() as connection:
            values = {"queue": queue, "body": body, "available_at": WallClock().now()}
            connection.execute(insert(rows).values(**values))
        engine.dispose()

    return put


class OnSqlite:
    """A file, as in embedded mode."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """Return where queues are empty."""
        return f"sqlite:///{tmp_path / 'broker.db'}"

    @pytest.fixture
    def away_url(self, tmp_path: Path) -> str:
        """Return where no database can be."""
        (tmp_path / "away.db").mkdir()
        return f"sqlite:///{tmp_path / 'away.db'}"


class TestPublishing(OnSqlite, broker_contract.PublishingContract):
    """On SQLite."""


class TestConsuming(OnSqlite, broker_contract.ConsumingContract):
    """On SQLite."""


class TestStopping(OnSqlite, broker_contract.StoppingContract):
    """On SQLite."""


class OnPostgresql:
    """A server, for those who have PostgreSQL and no RabbitMQ."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        """Return where queues are empty."""
        return postgres_url.replace("postgresql://", "postgresql+psycopg2://")

    @pytest.fixture
    def away_url(self) -> str:
        """Return where no server is."""
        return "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"


class TestPublishingOnPostgresql(OnPostgresql, broker_contract.PublishingContract):
    """On PostgreSQL."""


class TestConsumingOnPostgresql(OnPostgresql, broker_contract.ConsumingContract):
    """On PostgreSQL."""


class TestStoppingOnPostgresql(OnPostgresql, broker_contract.StoppingContract):
    """On PostgreSQL."""
