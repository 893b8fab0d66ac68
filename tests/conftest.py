"""The services that tests run on, each test with its own share of them.

Where a service is missing, its tests fail and say how to get it: `make test` does.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services
from tests.services import chromium as browsers
from tests.services import rabbitmq


@pytest.fixture
def rabbitmq_url() -> Iterator[str]:
    """Return the address of an empty virtual host."""
    with services.virtual_host() as url:
        yield url


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Return the address of an empty database."""
    with services.database() as url:
        yield url


@pytest.fixture(scope="module")
def rabbitmq_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbitmq.Node]:
    """Return a RabbitMQ of the module's own; its tests may let it crash."""
    with rabbitmq.Node(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the path of the browser."""
    return browsers.path()
