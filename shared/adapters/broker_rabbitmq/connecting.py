"""How to connect to RabbitMQ, and how to say in one line why it did not work."""

import itertools
import os
import random
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPConnectionError, AMQPError

from shared.domain import errors

_DEFAULTS = {
    "heartbeat": 30,
    "blocked_connection_timeout": 30,
    "socket_timeout": 5,
    "stack_timeout": 10,
}
"""What applies where the query of the URL says nothing (names are pika's)."""

PATIENCE_SECONDS = 5.0
"""How long a server may take to answer on an open connection."""

_BETWEEN = re.compile(r"\s*,\s*(?=amqps?://)")
"""What parts the addresses of a cluster; a password may have commas of its own."""


def addresses(url: str) -> Sequence[str]:
    """Return the addresses in `AMQP_URL`: one, or one for each node of a cluster."""
    return _BETWEEN.split(url.strip())


def parameters(url: str, purpose: str) -> list[pika.URLParameters]:
    """Return how to connect to each node, in an order that differs from call to call.

    So the connections of many processes spread over the nodes, and none goes on asking
    a node that is out of order first. The server lists the connection under a name with
    `purpose`, host and process id. Raises `ConfigurationError` for an address that
    cannot be read.
    """
    chosen = [_parameters(address, purpose) for address in addresses(url)]
    random.shuffle(chosen)
    return chosen


def _parameters(address: str, purpose: str) -> pika.URLParameters:
    try:
        chosen = pika.URLParameters(address)
        parts = urlsplit(address)
    except (ValueError, TypeError):
        # The reason may quote a piece of the password.
        raise _unreadable() from None
    if parts.scheme not in {"amqp", "amqps"}:
        raise _unreadable()
    for name in _DEFAULTS.keys() - parse_qs(parts.query).keys():
        setattr(chosen, name, _DEFAULTS[name])
    name = f"calendar-sync {purpose} {socket.gethostname()}:{os.getpid()}"
    chosen.client_properties = {"connection_name": name}
    return chosen


def _unreadable() -> errors.ConfigurationError:
    problem = "AMQP_URL: must look like amqp://user:password@host:5672/vhost"
    return errors.ConfigurationError([problem])


def connect(url: str, purpose: str) -> pika.BlockingConnection:
    """Return a connection to the first node that takes one.

    Raises what pika does, `AMQPError` or `OSError`, when none does.
    """
    # Handed all of them, pika gives up at the first name that cannot be resolved.
    *others, last = parameters(url, purpose)
    for each in others:
        with suppress(AMQPError, OSError):
            return _connect(each)
    return _connect(last)


def _connect(chosen: pika.URLParameters) -> pika.BlockingConnection:
    try:
        return pika.BlockingConnection(chosen)
    except AMQPConnectorException as error:
        # A node that hangs: unlike all else that pika raises, this is no `AMQPError`.
        raise AMQPConnectionError(str(error)) from error


@contextmanager
def connected(url: str, purpose: str) -> Iterator[pika.BlockingConnection]:
    """Open a connection for the block; raises `BrokerConnectionError`."""
    try:
        connection = connect(url, purpose)
        try:
            yield connection
        finally:
            if connection.is_open:
                connection.close()
    except (AMQPError, OSError) as error:
        message = f"RabbitMQ cannot be used ({explain(error)})"
        raise errors.BrokerConnectionError(message) from error


@contextmanager
def in_time(connection: pika.BlockingConnection) -> Iterator[None]:
    """Cut the connection if the block takes too long; what waits raises `AMQPError`.

    Else pika waits without end for a channel that hangs on the server.
    """
    timer = threading.Timer(PATIENCE_SECONDS, _cut, [connection])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: pika.BlockingConnection) -> None:
    # pika offers nothing that another thread may call while one waits.
    transport = connection._impl._transport  # noqa: SLF001
    if transport is not None:
        with suppress(OSError):
            transport._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001


def explain(error: object) -> str:
    """Return one line on what pika raised or reported; never with credentials."""
    return " ".join(repr(error).split())


def pauses(first: float, longest: float) -> Iterator[float]:
    """Yield the seconds to wait before each further try, growing up to `longest`."""
    return (min(first * 2**tries, longest) for tries in itertools.count())
