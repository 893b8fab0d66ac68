"""`calendar-sync run`: serve, work and periodic as processes of this one."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterable

import click

from deploy.cli import foundation, notices, readiness, stopping, supervision

log = logging.getLogger(__name__)


@click.command("run", short_help="Run serve, work and periodic together.")
@click.option("--host", help="As of serve.")
@click.option("--port", type=click.IntRange(0, 65535), help="As of serve.")
@click.option("--workers", type=click.IntRange(min=1), help="As of serve.")
@click.option("--concurrency", type=click.IntRange(1, 256), help="As of work.")
def command(
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    concurrency: int | None,
) -> None:
    """Run serve, work and periodic together, and start again what dies."""
    with foundation.opened(narrates=True) as base:
        readiness.wait_for_schema(base)
    serving = _options(host=host, port=port, workers=workers)
    commands = {
        "serve": ["serve", *serving],
        "work": ["work", *_options(concurrency=concurrency)],
        "periodic": ["periodic"],
    }
    wish = stopping.Wish()
    wish.listen()
    with (
        tempfile.TemporaryDirectory(prefix="calendar-sync-metrics-") as folder,
        supervision.Supervisor() as supervisor,
    ):
        # The receiver shows what all of them count.
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": folder}
        for name, arguments in commands.items():
            supervisor.start(
                supervision.Program(
                    name=name,
                    command=[sys.executable, "-P", "-m", "deploy.cli", *arguments],
                    environment=environment,
                )
            )
        _look_after(supervisor, wish, commands)


def _look_after(
    supervisor: supervision.Supervisor, wish: stopping.Wish, names: Iterable[str]
) -> None:
    try:
        supervisor.look_after(lambda: wish.is_there or supervisor.are_ready(*names))
        if not wish.is_there:
            log.info("All processes are running")
            notices.ready()
        supervisor.look_after(lambda: wish.is_there)
    except supervision.MisusedError:
        # It has said why.
        raise click.exceptions.Exit(supervision.MISUSED) from None


def _options(**given: object) -> list[str]:
    return [
        part
        for name, value in given.items()
        if value is not None
        for part in (f"--{name}", str(value))
    ]
