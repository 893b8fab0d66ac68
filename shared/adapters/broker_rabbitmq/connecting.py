"""How to connect to RabbitMQ, and how to say in one line why it did not work."""

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pika
from pika.exceptions import AMQPError

from shared.domain import errors

_DEFAULTS = {
    "heartbeat": 30,
    "blocked_connection_timeout": 30,
    "socket_timeout": 5,
    "stack_timeout": 10,
}
"""What applies where the query of the URL says nothing (names are pika's)."""


def parameters(url: str, purpose: str) -> pika.URLParameters:
    """Return how to connect to an `amqp://` or `amqps://` address.

    The server lists the connection under a name with `purpose`, host and process id.
    Raises `ConfigurationError` for an address that cannot be read.
    """
    try:
        chosen = pika.URLParameters(url)
        parts = urlsplit(url)
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


@contextmanager
def connected(url: str, purpose: str) -> Iterator[pika.BlockingConnection]:
    """Open a connection for the block; raises `BrokerConnectionError`."""
    try:
        connection = pika.BlockingConnection(parameters(url, purpose))
        try:
            yield connection
        finally:
            if connection.is_open:
                connection.close()
    except (AMQPError, OSError) as error:
        message = f"RabbitMQ cannot be used ({explain(error)})"
        raise errors.BrokerConnectionError(message) from error


def explain(error: object) -> str:
    """Return one line on what pika raised or reported; never with credentials."""
    return " ".join(repr(error).split())


def pauses(first: float, longest: float) -> Iterator[float]:
    """Yield the seconds to wait before each further try, growing up to `longest`."""
    return (min(first * 2**tries, longest) for tries in itertools.count())
