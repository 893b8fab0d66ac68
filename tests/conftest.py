"""The services that tests run on, each test with its own share of them.

Where a service is missing, its tests are skipped; in CI they fail instead.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests import services
from tests.services import chromium as browsers
from tests.services import rabbitmq

Service = TypeVar("Service")


@pytest.fixture
def rabbitmq_url() -> Iterator[str]:
    """Return the address of an empty virtual host."""
    with ExitStack() as stack:
        yield _enter(stack, services.virtual_host)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Return the address of an empty database."""
    with ExitStack() as stack:
        yield _enter(stack, services.database)


@pytest.fixture(scope="module")
def rabbitmq_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbitmq.Node]:
    """Return a RabbitMQ of the module's own; its tests may let it crash."""
    with ExitStack() as stack:
        directory = tmp_path_factory.mktemp("rabbitmq")
        yield _enter(stack, lambda: rabbitmq.Node(directory))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the path of the browser."""
    with _skipped_if_missing():
        return browsers.path()


def _enter(
    stack: ExitStack, provide: Callable[[], AbstractContextManager[Service]]
) -> Service:
    with _skipped_if_missing():
        return stack.enter_context(provide())


@contextmanager
def _skipped_if_missing() -> Iterator[None]:
    try:
        yield
    except services.MissingServiceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
