"""Takes ports before anything else happens, and says in one line if that fails."""

import errno
import os
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from shared import config
from shared.domain import errors

DEFAULT_PORT = 8080
_LOOK_SECONDS = 0.1


def port_of(public_url: str) -> int:
    """Return the port to listen on: the one of an address on this machine, or 8080."""
    parts = urlsplit(public_url)
    is_here = parts.scheme == "http" and config.is_loopback(parts.hostname)
    return (parts.port or DEFAULT_PORT) if is_here else DEFAULT_PORT


def bound(
    host: str, port: int, name: str, *, patience_seconds: float = 0
) -> socket.socket:
    """Return a socket bound to an address; 0 takes any free port.

    Raises `ConfigurationError`, naming what the port was given by, when it is still in
    use after so long.
    """
    try:
        address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        problem = f"--host: {host} is no address ({error.strerror})"
        raise errors.ConfigurationError([problem]) from error
    taken = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(taken, address[4], patience_seconds)
    except OSError as error:
        taken.close()
        raise _refusal(name, f"{host}:{port}", error) from error
    return taken


def begin(taken: socket.socket, name: str) -> None:
    """Listen on a socket that is bound.

    Only now the port is its own: raises `ConfigurationError` when another was faster.
    """
    try:
        taken.listen()
    except OSError as error:
        host, port = taken.getsockname()[:2]
        raise _refusal(name, f"{host}:{port}", error) from error


def _refusal(name: str, where: str, error: OSError) -> errors.ConfigurationError:
    reason = os.strerror(error.errno or 0)
    return errors.ConfigurationError([f"{name}: cannot listen on {where} ({reason})"])


def _bind(taken: socket.socket, address: Any, patience_seconds: float) -> None:  # noqa: ANN401 - by family
    until = time.monotonic() + patience_seconds
    while True:
        try:
            taken.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
        else:
            return
        time.sleep(_LOOK_SECONDS)
