"""Serves the metrics of a process that has no web server of its own."""

import os

import click
import prometheus_client

from shared.domain import errors

host_option = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Serve the metrics here, if METRICS_PORT is set.",
)


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
