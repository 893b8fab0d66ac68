"""The metrics of a process: what is counted, and where they are served.

prometheus_client comes with it, and looks once whether processes count together: so
`serve` imports it only after it has decided that.
"""

import os

import click
import prometheus_client

from deploy.cli.foundation import Foundation
from shared import instruments
from shared.domain import errors, ports

host_option = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Serve the metrics here, if METRICS_PORT is set.",
)


def instrumented(base: Foundation) -> ports.Broker:
    """Return the broker, with messages that are counted and carry their traces."""
    system = "rabbitmq" if base.config.amqp_url else "database"
    return instruments.InstrumentedBroker(base.broker, base.clock, system=system)


def serve(host: str, port: int | None) -> None:
    """Serve /metrics on METRICS_PORT, if it is set.

    Where processes count together in a folder, the receiver serves it for all of them.
    Raises `ConfigurationError` when the port is in use.
    """
    if port is None or os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return
    try:
        prometheus_client.start_http_server(port, addr=host)
    except OSError as error:
        problem = f"METRICS_PORT: cannot listen on {host}:{port} ({error.strerror})"
        raise errors.ConfigurationError([problem]) from error
