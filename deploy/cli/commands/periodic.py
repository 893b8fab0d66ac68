"""`calendar-sync periodic`: the timers."""

import logging
import threading

import click

from deploy.cli import (
    foundation,
    metering,
    notices,
    readiness,
    stopping,
    worker_parts,
)
from workers.periodic import Periodic

log = logging.getLogger(__name__)


@click.command("periodic", short_help="Run the timers.")
@metering.host_option
def command(*, host: str) -> None:
    """Run the timers: safety polls, channel renewal, sweeps. More than one is safe."""
    with foundation.opened(narrates=True) as base:
        metering.serve(host, base.config.metrics_port)
        readiness.wait_for_schema(base)
        readiness.wait_for_queues(base.broker)
        timers = _Timers(Periodic(worker_parts.services(base)))
        log.info("Running the timers")
        stopping.run_until_asked([timers], on_start=notices.ready)
        log.info("Stopped the timers")


class _Timers:
    """The periodic work as something that can be stopped."""

    def __init__(self, periodic: Periodic) -> None:
        self._periodic = periodic
        self._stop = threading.Event()

    def run(self) -> None:
        self._periodic.run(self._stop)

    def stop(self) -> None:
        self._stop.set()
