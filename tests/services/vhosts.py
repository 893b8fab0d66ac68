"""A virtual host for each test, so that tests share a server and nothing else."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import pika
import requests
from pika.exceptions import ChannelClosedByBroker

from shared.adapters.broker_rabbitmq import connecting, topology
from shared.domain.messages import Delay, Queue
from tests.services import addresses
from tests.services.errors import MissingServiceError

_TIMEOUT_SECONDS = 30


@contextmanager
def virtual_host() -> Iterator[str]:
    """Yield the address of an empty virtual host; it is deleted after the block.

    Raises `MissingServiceError` when there is no RabbitMQ.
    """
    url = addresses.needed(addresses.AMQP_URL)
    api = addresses.found(addresses.RABBITMQ_API)
    with created(url, api) if api else borrowed(url) as own:
        yield own


@contextmanager
def created(url: str, api: str) -> Iterator[str]:
    """Make a virtual host for the block; yield its address."""
    name = f"calendar-sync-tests-{secrets.token_hex(6)}"
    parts = urlsplit(url)
    user = unquote(parts.username or "guest")
    _ask("PUT", f"{api}/vhosts/{name}")
    try:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        _ask("PUT", f"{api}/permissions/{name}/{user}", everything)
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        _ask("DELETE", f"{api}/vhosts/{name}")


def _ask(method: str, address: str, body: dict[str, str] | None = None) -> None:
    answer = requests.request(method, address, json=body, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()


@contextmanager
def borrowed(url: str) -> Iterator[str]:
    """Use the only virtual host there is, one test at a time, if nobody else does."""
    # Tests of one checkout take turns; this file is as good to lock as any.
    with Path(__file__).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_used(url):
            message = (
                "the virtual host in AMQP_URL holds queues of calendar-sync, which the "
                "tests would delete; give them one of their own"
            )
            raise MissingServiceError(message)
        try:
            yield url
        finally:
            empty(url)


def _is_used(url: str) -> bool:
    with connecting.connected(url, "tests") as connection:
        return any(_exists(connection, queue) for queue in _queues())


def _exists(connection: pika.BlockingConnection, queue: str) -> bool:
    try:
        connection.channel().queue_declare(queue, passive=True)
    except ChannelClosedByBroker:
        return False
    return True


def empty(url: str) -> None:
    """Delete our queues and exchanges, with all that they hold."""
    with connecting.connected(url, "tests") as connection:
        channel = connection.channel()
        for queue in _queues():
            channel.queue_delete(queue)
        for delay in [None, *Delay]:
            channel.exchange_delete(topology.exchange_of(delay))


def _queues() -> list[str]:
    return [*map(topology.queue_name, Queue), *map(topology.exchange_of, Delay)]
