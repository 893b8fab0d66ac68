"""The receiver under gunicorn, used as a library.

The application is made before workers are forked: they share its memory, and connect
to database and broker by themselves on first use.
"""

import functools
import logging
import socket
import threading
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn import glogging  # type: ignore[import-untyped] # ships no types
from gunicorn.app.base import (  # type: ignore[import-untyped] # ships no types
    BaseApplication,
)

from deploy.cli import consent, listening, metering, readiness, tether
from deploy.cli.foundation import Foundation
from shared.domain import errors
from webhook_receiver.app import create_app
from webhook_receiver.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

THREADS = 8
"""More of them only wake each other while the broker confirms."""
GRACE_SECONDS = 20
"""How long requests may take to finish when the receiver is to stop."""

LONGEST_REQUEST_LINE = 4094
"""The longest of ours carry a launch token, or Google's code."""
MOST_HEADERS = 64
LONGEST_HEADER = 8190


def run(base: Foundation, taken: Sequence[socket.socket], *, workers: int) -> None:
    """Serve on the sockets until a signal; the second socket is for metrics alone."""
    app: WSGIApplication = create_app(_services(base))
    if len(taken) > 1:
        app = MetricsApart(app, taken[1].getsockname()[1])
    for name, each in zip(("--port", "METRICS_PORT"), taken, strict=False):
        listening.begin(each, name)
    _Gunicorn(
        app,
        {
            # gunicorn takes the descriptors over, and closes them.
            "bind": [f"fd://{each.detach()}" for each in taken],
            "workers": workers,
            "threads": THREADS,
            "worker_class": "gthread",
            "preload_app": True,
            "graceful_timeout": GRACE_SECONDS,
            # Longer than the load balancers in front keep idle connections.
            "keepalive": 75,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "limit_request_fields": MOST_HEADERS,
            "limit_request_field_size": LONGEST_HEADER,
            "logger_class": _Log,
            "control_socket_disable": True,
            "post_fork": _tie_to_master,
            "post_worker_init": functools.partial(_declare_queues, base),
            **_heartbeats_in_memory(),
        },
    ).run()


class MetricsApart:
    """Serves /metrics on a port of its own, and nothing else of the application."""

    def __init__(self, app: "WSGIApplication", port: int) -> None:
        """Take the port, to which the server listens as well."""
        self._app = app
        self._port = str(port)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        is_here = environ["SERVER_PORT"] == self._port
        if is_here == (environ["PATH_INFO"] == "/metrics"):
            return self._app(environ, start_response)
        status = HTTPStatus.NOT_FOUND
        headers = [("Content-Type", "text/plain"), ("Content-Length", "0")]
        start_response(f"{status.value} {status.phrase}", headers)
        return []


class _Gunicorn(BaseApplication):  # type: ignore[misc] # it has no types
    """gunicorn with our options, and none from its environment or files."""

    def __init__(self, app: "WSGIApplication", options: dict[str, object]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> "WSGIApplication":
        return self._app


class _Log(glogging.Logger):  # type: ignore[misc] # it has no types
    """What gunicorn has to say, in our form; requests are counted, not logged."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn is untyped
        self.cfg = cfg
        self.error_log.propagate = True
        # It narrates each of its steps at INFO.
        self.error_log.setLevel(logging.WARNING)


def _services(base: Foundation) -> Services:
    return Services(
        store=base.store,
        broker=metering.instrumented(base),
        oauth=consent.oauth(base),
        keys=base.keys,
        clock=base.clock,
        public_url=base.config.public_url,
        checks={"schema": readiness.SchemaCheck(base)},
    )


def _tie_to_master(_master: object, _worker: object) -> None:
    # A worker that outlived its master would keep the port from the next one.
    tether.tie()


def _declare_queues(base: Foundation, _worker: object) -> None:
    """Declare the queues beside serving; webhooks are answered 503 until then."""

    def declare() -> None:
        try:
            readiness.wait_for_queues(base.broker)
        except errors.TopologyError as error:
            log.warning("The queues cannot be used: %s", error)

    threading.Thread(target=declare, name="queues", daemon=True).start()


def _heartbeats_in_memory() -> dict[str, str]:
    # On a slow disk, the heartbeat itself can block a worker (gunicorn's FAQ).
    shared_memory = Path("/dev/shm")  # noqa: S108 - only its own temporary files
    return {"worker_tmp_dir": str(shared_memory)} if shared_memory.is_dir() else {}
