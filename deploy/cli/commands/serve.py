"""`calendar-sync serve`: the receiver behind gunicorn."""

import contextlib
import importlib
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator

import click

from deploy.cli import foundation, listening, readiness
from shared.domain import errors

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 2.0

FILES_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder where processes count together (prometheus_client)."""


@click.command("serve", short_help="Run the receiver: webhooks, API and pages.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen here.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Listen here; by default PUBLIC_URL's port on this machine, else 8080.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes; by default 1 in embedded mode, else 2.",
)
def command(*, host: str, port: int | None, workers: int | None) -> None:
    """Run the receiver: webhooks, API and pages.

    Answers /healthz, /readyz and /metrics as well; with METRICS_PORT, metrics are
    served there instead.
    """
    with foundation.opened(narrates=True) as base, contextlib.ExitStack() as stack:
        if port is None:
            port = listening.port_of(base.config.public_url)
        taken = [stack.enter_context(_bound(host, port, "--port"))]
        metrics_port = base.config.metrics_port
        if metrics_port is not None:
            named = _bound(host, metrics_port, "METRICS_PORT")
            taken.append(stack.enter_context(named))
        _check_schema(base)
        count = workers or (1 if base.config.is_embedded else 2)
        stack.enter_context(_counting_together(count))
        # Only now may it be imported: prometheus_client looks at the variable once.
        receiver = importlib.import_module("deploy.cli.receiver")
        log.info("Listening on http://%s:%d", host, taken[0].getsockname()[1])
        receiver.run(base, taken, workers=count)


def _bound(host: str, port: int, name: str) -> socket.socket:
    # One that was killed a moment ago may leave its port in use for another moment.
    return listening.bound(host, port, name, patience_seconds=_PATIENCE_SECONDS)


def _check_schema(base: foundation.Foundation) -> None:
    try:
        readiness.require_schema(base)
    except errors.RemoteUnavailableError as error:
        # Webhooks of Google need no database; /readyz tells how things are.
        log.warning("Began without the database: %s", error)
    # No connection may be shared with the processes that are forked.
    base.store.close()


@contextlib.contextmanager
def _counting_together(workers: int) -> Iterator[None]:
    """Let several processes count their metrics in one folder."""
    if workers == 1 or os.environ.get(FILES_VARIABLE):
        yield
        return
    folder, owner = tempfile.mkdtemp(prefix="calendar-sync-metrics-"), os.getpid()
    os.environ[FILES_VARIABLE] = folder
    try:
        yield
    finally:
        # Forked workers leave through here, too, while others go on counting.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)
