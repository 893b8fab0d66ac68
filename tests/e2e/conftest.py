"""The systems that the scenarios run on: production's services, and embedded mode."""

from collections.abc import Iterator
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
            node: rabbitmq.Node = request.getfixturevalue("rabbitmq_node")
            started = System(
                directory,
                database_url=stack.enter_context(services.database()),
                amqp_url=node.url,
                safety_poll_seconds=seconds,
            )
            started.restart_broker = node.restart
        else:
            started = System(
                directory,
                database_url=f"sqlite:///{directory}/sync.db",
                safety_poll_seconds=seconds,
            )
        yield stack.enter_context(started)
