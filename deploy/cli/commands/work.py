"""`calendar-sync work`: workers on some queues, or on all."""

import contextlib
import logging
from pathlib import Path

import click
from sqlalchemy import make_url

from deploy.cli import (
    exclusive,
    foundation,
    metering,
    notices,
    readiness,
    stopping,
    worker_parts,
)
from shared.domain.messages import Queue
from workers import consumer

log = logging.getLogger(__name__)

CONCURRENCY = 8
_QUEUES = [queue.value for queue in Queue]


@click.command("work", short_help="Run workers on some queues, or on all.")
@click.argument("queues", nargs=-1, type=click.Choice(_QUEUES), metavar="[QUEUE]...")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=CONCURRENCY,
    show_default=True,
    help="Threads; first syncs have fewer of their own beside them.",
)
@metering.host_option
def command(*, queues: tuple[str, ...], concurrency: int, host: str) -> None:
    """Run workers on some queues, or on all.

    \b
    Queues: google.changes crm.changes records backfill dead-letters
    """
    chosen = list(dict.fromkeys(Queue(name) for name in queues or _QUEUES))
    with foundation.opened(narrates=True) as base, contextlib.ExitStack() as stack:
        if base.is_sqlite:
            stack.enter_context(_alone(base))
        metering.serve(host, base.config.metrics_port)
        readiness.wait_for_schema(base)
        readiness.wait_for_queues(base.broker)
        consumers = consumer.consumers(
            worker_parts.services(base),
            metering.instrumented(base),
            chosen,
            concurrency=concurrency,
        )
        log.info("Working on %s", ", ".join(chosen))
        stopping.run_until_asked(consumers, on_start=notices.ready)
        log.info("Stopped working")


def _alone(base: foundation.Foundation) -> contextlib.AbstractContextManager[None]:
    # Record locks hold inside one process there.
    database = make_url(base.config.database_url).database
    path = Path(f"{database}-work.lock")
    problem = "another `calendar-sync work` runs on this database already"
    return exclusive.held(path, problem)
