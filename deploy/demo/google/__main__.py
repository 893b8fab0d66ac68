"""Run the simulated Google: `python -m deploy.demo.google --port 8081 --data DIR`."""

import argparse
import contextlib
import sqlite3
import sys

from deploy.demo import clock, command
from deploy.demo.google import app, delivery, oauth, provisioning, state


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    options = _parse()
    ticking = clock.SystemClock()
    with contextlib.ExitStack() as stack:
        try:
            options.data.mkdir(parents=True, exist_ok=True)
            held = stack.enter_context(
                contextlib.closing(state.State(options.data / "calendar.db"))
            )
            oauth_server = stack.enter_context(
                contextlib.closing(oauth.Server(ticking, options.data / "oauth.db"))
            )
        except (OSError, sqlite3.Error) as error:
            return command.refuse(f"--data: {options.data}: {error}")
        sender = stack.enter_context(contextlib.closing(delivery.HttpSender()))
        for address in options.accounts:
            _add_account(held, ticking, address, options.time_zone)
        application = app.create_app(
            held, clock=ticking, sender=sender, oauth_server=oauth_server
        )
        return command.serve(application, options.host, options.port)


def _parse() -> argparse.Namespace:
    parser = command.parser("python -m deploy.demo.google")
    parser.add_argument(
        "--accounts",
        nargs="*",
        default=[],
        type=command.address,
        metavar="ADDRESS",
        help="accounts to add unless they are there",
    )
    parser.add_argument(
        "--time-zone",
        default="UTC",
        type=command.zone,
        help="of the accounts that are added",
    )
    return parser.parse_args()


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


if __name__ == "__main__":
    sys.exit(main())
