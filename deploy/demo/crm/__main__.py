"""Run the simulated CRM: `python -m deploy.demo.crm --port 8082 --data DIR ...`."""

import argparse
import contextlib
import sqlite3
import sys
from urllib.parse import urlsplit

from deploy.demo import clock, command, timetable
from deploy.demo.crm import app, model, signing, state, transport, webhooks

_CONNECTIONS = 16


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    options = _parse()
    ticking = clock.SystemClock()
    with contextlib.ExitStack() as stack:
        try:
            options.data.mkdir(parents=True, exist_ok=True)
            held = stack.enter_context(
                contextlib.closing(state.State(options.data / "crm.db"))
            )
        except (OSError, sqlite3.Error) as error:
            return command.refuse(f"--data: {options.data}: {error}")
        with held.transaction(ticking.now()) as tx:
            permissions = [permission.value for permission in model.Permission]
            tx.add(model.ApiKey(key=options.api_key, permissions=permissions))
        schedule = stack.enter_context(
            contextlib.closing(timetable.Timetable(_CONNECTIONS, "webhooks"))
        )
        application = app.create_app(
            held,
            schedule=schedule,
            post=transport.HttpPost(),
            subscription=webhooks.Subscription(
                url=options.webhook_url or "", secrets=tuple(options.webhook_secrets)
            ),
            clock=ticking,
        )
        return command.serve(application, options.host, options.port)


def _parse() -> argparse.Namespace:
    parser = command.parser("python -m deploy.demo.crm")
    parser.add_argument(
        "--api-key", required=True, help="a key of the API that permits everything"
    )
    parser.add_argument(
        "--webhook-url", type=_url, help="without it no webhooks are sent"
    )
    parser.add_argument(
        "--webhook-secret",
        action="append",
        default=[],
        type=_secret,
        dest="webhook_secrets",
        metavar="whsec_...",
        help="what webhooks are signed with; several while one is replaced",
    )
    options = parser.parse_args()
    if options.webhook_url and not options.webhook_secrets:
        parser.error("--webhook-url needs a --webhook-secret")
    return options


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = f"{text!r} is no http address"
        raise argparse.ArgumentTypeError(message)
    return text


def _secret(text: str) -> str:
    if not signing.is_secret(text):
        message = "must be whsec_ followed by base64"
        raise argparse.ArgumentTypeError(message)
    return text


if __name__ == "__main__":
    sys.exit(main())
