"""Run the simulated Google: `python -m deploy.demo.google --port 8081 --data DIR`."""

import argparse
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from deploy.demo.google import (
    admin_input,
    app,
    clock,
    delivery,
    oauth,
    provisioning,
    server,
    state,
    times,
)

_BAD_USAGE = 2
_HIGHEST_PORT = 65535


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    options = _parse()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    ticking = clock.SystemClock()
    try:
        options.data.mkdir(parents=True, exist_ok=True)
        held = state.State(options.data / "calendar.db")
        oauth_server = oauth.Server(ticking, options.data / "oauth.db")
    except (OSError, sqlite3.Error) as error:
        return _refuse(f"--data: {options.data}: {error}")
    sender = delivery.HttpSender()
    application = app.create_app(
        held, clock=ticking, sender=sender, oauth_server=oauth_server
    )
    for address in options.accounts:
        _add_account(held, ticking, address, options.time_zone)
    try:
        listening = server.make_server(options.host, options.port, application)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return _refuse(f"--port: {reason}: {options.host}:{options.port}")
    _stop_on_signal(listening.shutdown)
    print(f"listening on http://{options.host}:{listening.port}", flush=True)  # noqa: T201 -- its one line
    listening.serve_forever()
    listening.server_close()
    sender.close()
    held.close()
    oauth_server.close()
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.google")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, required=True, help="0 takes a free one")
    parser.add_argument(
        "--data", type=Path, required=True, help="the directory of its database files"
    )
    parser.add_argument(
        "--accounts",
        nargs="*",
        default=[],
        type=_address,
        metavar="ADDRESS",
        help="accounts to add unless they are there",
    )
    parser.add_argument(
        "--time-zone", default="UTC", type=_zone, help="of the accounts that are added"
    )
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _HIGHEST_PORT:
        message = f"{text!r} is no port"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _address(text: str) -> str:
    if not admin_input.is_address(text):
        message = f"{text!r} is no e-mail address"
        raise argparse.ArgumentTypeError(message)
    return text


def _zone(text: str) -> str:
    if times.zone(text) is None:
        message = f"{text!r} is no time zone"
        raise argparse.ArgumentTypeError(message)
    return text


def _add_account(
    held: state.State, ticking: clock.Clock, address: str, time_zone: str
) -> None:
    if address not in held.accounts:
        provisioning.add_account(
            held,
            ticking.now(),
            address=address,
            name=address.partition("@")[0],
            time_zone=time_zone,
        )


def _stop_on_signal(shutdown: Callable[[], None]) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which this very thread runs.
        threading.Thread(target=shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)  # noqa: T201 -- the one line of an error
    return _BAD_USAGE


if __name__ == "__main__":
    sys.exit(main())
