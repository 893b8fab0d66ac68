"""Seed a demo: `python -m deploy.demo.seed plant|connect`, told on standard input.

Both take a JSON object there, because secrets do not belong into a command line:
`{"receiver", "google", "crm"}` are addresses, `{"crm_api_key", "admin_token",
"google_client_id", "google_client_secret"}` let us in. Both print who the users are.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from deploy.demo.seed import calls, connecting, people, planting

_FAILED = 1
_PATIENCE_SECONDS = 120.0

Told = Mapping[str, str]


def main() -> int:
    """Do one step; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.seed")
    parser.add_argument(
        "step",
        choices=_STEPS,
        help="plant: fill the simulators; connect: connect who is not, and wait",
    )
    step = _STEPS[parser.parse_args().step]
    try:
        step(json.load(sys.stdin))
    except calls.SeedError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 -- the one line of an error
        return _FAILED
    users = [
        {
            "crm_user_id": person.id,
            "email": person.email,
            "google_account": person.google_account,
        }
        for person in people.PEOPLE
    ]
    print(json.dumps(users))  # noqa: T201 -- its one line
    return 0


def _plant(told: Told) -> None:
    crm = calls.Server(told["crm"], told["crm_api_key"])
    planting.plant(calls.Server(told["google"]), crm, datetime.now(UTC))


def _connect(told: Told) -> None:
    receiver = calls.Server(told["receiver"], told["admin_token"])
    client = connecting.Client(
        client_id=told["google_client_id"],
        client_secret=told["google_client_secret"],
    )
    both = connecting.Connecting(receiver, calls.Server(told["google"]))
    both.connect_everybody(client, patience_seconds=_PATIENCE_SECONDS)


_STEPS: Mapping[str, Callable[[Told], None]] = {"plant": _plant, "connect": _connect}


if __name__ == "__main__":
    sys.exit(main())
