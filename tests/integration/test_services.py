"""The services themselves: they end with the run, and harm nobody else's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain import errors
from tests import services
from tests.broker_process import open_broker
from tests.services import addresses, postgresql, vhosts

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    postgresql.find() is None,
    reason="tests that run on a DATABASE_URL elsewhere have no server to start here",
)
def test_a_server_that_was_started_ends_with_the_command() -> None:
    given = {addresses.DATABASE_URL, "DATABASE_URL"}
    services_command = [sys.executable, "-m", "tests.services", "postgresql", "--"]
    script = f"import os; print(os.environ['{addresses.DATABASE_URL}']); exit(7)"

    done = subprocess.run(  # noqa: S603 - our own module
        [*services_command, sys.executable, "-c", script],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k not in given},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 7
    assert done.stdout.startswith("postgresql://")
    assert not postgresql.is_up(done.stdout.strip())


def test_a_virtual_host_in_use_is_not_touched(rabbitmq_url: str) -> None:
    broker = open_broker(rabbitmq_url)
    broker.declare()

    with (
        pytest.raises(services.MissingServiceError, match="one of their own"),
        vhosts.borrowed(rabbitmq_url),
    ):
        pass

    assert set(broker.depths().values()) == {0}


def test_a_borrowed_virtual_host_is_empty_afterwards(rabbitmq_url: str) -> None:
    broker = open_broker(rabbitmq_url)

    with vhosts.borrowed(rabbitmq_url) as url:
        open_broker(url).declare()

    with pytest.raises(errors.BrokerConnectionError, match="has no queue"):
        broker.depths()
