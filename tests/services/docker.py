"""The same two servers as containers, where Docker is there and they are not."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.services import addresses, postgresql, rabbitmq
from tests.services.errors import MissingServiceError
from tests.services.processes import free_ports, last_line

_RABBITMQ = "rabbitmq:4-management"
_POSTGRESQL = "postgres:17"
_START_SECONDS = 120


def is_available() -> bool:
    """Tell whether a Docker engine answers."""
    return shutil.which("docker") is not None and _docker("info").returncode == 0


@contextmanager
def rabbitmq_running() -> Iterator[dict[str, str]]:
    """Run RabbitMQ in the block; yield the variables that tell where it is."""
    password = secrets.token_hex(8)
    port, api_port = free_ports(2)
    url = f"amqp://tests:{password}@127.0.0.1:{port}/"
    api = f"http://tests:{password}@127.0.0.1:{api_port}/api"
    settings = {"RABBITMQ_DEFAULT_USER": "tests", "RABBITMQ_DEFAULT_PASS": password}
    with _container(_RABBITMQ, {port: 5672, api_port: 15672}, settings):
        _wait_until(lambda: rabbitmq.is_up(url, api), _RABBITMQ)
        yield {addresses.AMQP_URL: url, addresses.RABBITMQ_API: api}


@contextmanager
def postgresql_running() -> Iterator[dict[str, str]]:
    """Run PostgreSQL in the block; yield the variable that tells where it is."""
    password = secrets.token_hex(8)
    [port] = free_ports(1)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    with _container(_POSTGRESQL, {port: 5432}, {"POSTGRES_PASSWORD": password}):
        _wait_until(lambda: postgresql.is_up(url), _POSTGRESQL)
        yield {addresses.DATABASE_URL: url}


@contextmanager
def _container(
    image: str, ports: Mapping[int, int], settings: Mapping[str, str]
) -> Iterator[None]:
    name = f"calendar-sync-tests-{secrets.token_hex(4)}"
    published = [f"--publish=127.0.0.1:{ours}:{its}" for ours, its in ports.items()]
    variables = [f"--env={name}={value}" for name, value in settings.items()]
    done = _docker(
        "run", "--detach", "--rm", f"--name={name}", *published, *variables, image
    )
    try:
        if done.returncode != 0:
            message = f"Docker cannot run {image}: {last_line(done.stderr)}"
            raise MissingServiceError(message)
        yield
    finally:
        _docker("rm", "--force", "--volumes", name)


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - arguments are ours
        ["docker", *arguments],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
    )


def _wait_until(is_up: Callable[[], bool], image: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_up():
        if time.monotonic() > deadline:
            message = f"{image} does not answer after {_START_SECONDS} s"
            raise MissingServiceError(message)
        time.sleep(0.2)
