"""The systems that the scenarios run on: production's services, and embedded mode."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests import services
from tests.e2e.system import System
from tests.services import rabbitmq


@pytest.fixture(scope="module", params=["production", "embedded"])
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Return a running system with three connected users.

    A module may set `SAFETY_POLL_SECONDS`.
    """
    directory = tmp_path_factory.mktemp("system")
    seconds = getattr(request.module, "SAFETY_POLL_SECONDS", 900)
    with ExitStack() as stack:
        if request.param == "production":
            url, restart = _broker(request, stack)
            started = System(
                directory,
                database_url=stack.enter_context(services.database()),
                amqp_url=url,
                safety_poll_seconds=seconds,
            )
            started.restart_broker = restart
        else:
            started = System(
                directory,
                database_url=f"sqlite:///{directory}/sync.db",
                safety_poll_seconds=seconds,
            )
        yield stack.enter_context(started)


def _broker(
    request: pytest.FixtureRequest, stack: ExitStack
) -> tuple[str, Callable[[], None] | None]:
    """Return RabbitMQ's address, and what lets it crash where it is ours to crash."""
    if rabbitmq.find() is None:
        return stack.enter_context(services.virtual_host()), None
    node: rabbitmq.Node = request.getfixturevalue("rabbitmq_node")
    return node.url, node.restart
