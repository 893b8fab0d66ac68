"""What the commands that run a simulator have in common."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from flask import Flask

from deploy.demo import admin_input, server, zones

_BAD_USAGE = 2
_HIGHEST_PORT = 65535
_POLL_SECONDS = 0.05


def parser(name: str) -> argparse.ArgumentParser:
    """Return a parser for what every simulator is told."""
    made = argparse.ArgumentParser(prog=name)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=port, required=True, help="0 takes a free one")
    made.add_argument(
        "--data", type=Path, required=True, help="the directory of its database files"
    )
    return made


def port(text: str) -> int:
    """Return the number of a port."""
    if not text.isdigit() or int(text) > _HIGHEST_PORT:
        message = f"{text!r} is no port"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def address(text: str) -> str:
    """Return an e-mail address."""
    if not admin_input.is_address(text):
        message = f"{text!r} is no e-mail address"
        raise argparse.ArgumentTypeError(message)
    return text


def zone(text: str) -> str:
    """Return the name of a time zone."""
    if zones.find(text) is None:
        message = f"{text!r} is no time zone"
        raise argparse.ArgumentTypeError(message)
    return text


def serve(application: Flask, host: str, port: int) -> int:
    """Print the address, serve until SIGTERM or SIGINT and return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        listening = server.make_server(host, port, application)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return refuse(f"--port: {reason}: {host}:{port}")
    _stop_on_signal(listening.shutdown)
    print(f"listening on http://{host}:{listening.port}", flush=True)  # noqa: T201 -- its one line
    listening.serve_forever(_POLL_SECONDS)
    listening.server_close()
    return 0


def refuse(message: str) -> int:
    """Print the one line of an error and return the exit code."""
    print(f"error: {message}", file=sys.stderr)  # noqa: T201 -- the one line of an error
    return _BAD_USAGE


def _stop_on_signal(shutdown: Callable[[], None]) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which this very thread runs.
        threading.Thread(target=shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
