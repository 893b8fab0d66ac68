"""What machines ask to find out how the receiver is: liveness, readiness, metrics."""

import json
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http import HTTPStatus

import prometheus_client
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, multiprocess

from shared.domain import errors
from webhook_receiver import gauges, problems
from webhook_receiver.services import Services

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0
"""Probes give up soon, and a part that takes longer is of no use."""


class Monitoring:
    """The endpoints; none needs authentication."""

    def __init__(
        self, services: Services, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Take the parts that requests depend on, and how long to wait for them."""
        self._patience_seconds = patience_seconds
        self._parts: dict[str, Callable[[], None]] = {
            "database": services.store.ping,
            "broker": services.broker.ping,
            **services.checks,
        }
        self._gauges = gauges.Gauges(
            services, patience_seconds=patience_seconds
        ).registry()
        # A part that hangs holds one of them; more are not spent on it.
        self._pool = ThreadPoolExecutor(2 * len(self._parts), "readiness")

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("monitoring", __name__)
        routes.add_url_rule("/healthz", "healthz", self.healthz, methods=["GET"])
        routes.add_url_rule("/readyz", "readyz", self.readyz, methods=["GET"])
        routes.add_url_rule("/metrics", "metrics", self.metrics, methods=["GET"])
        return routes

    def healthz(self) -> Response:
        """Tell that the process answers."""
        return Response('{"status": "ok"}', content_type="application/json")

    def readyz(self) -> Response:
        """Tell whether requests can be served: 200, or 503 and what is missing."""
        checks = {name: self._pool.submit(p) for name, p in self._parts.items()}
        wait(checks.values(), timeout=self._patience_seconds)
        missing = {
            name: text for name, check in checks.items() if (text := _why(check))
        }
        if not missing:
            body = json.dumps({"status": "ready"})
            return Response(body, content_type="application/json")
        log.warning("Was not ready: %s", ", ".join(missing))
        detail = "A part that requests depend on does not answer."
        return problems.answer(HTTPStatus.SERVICE_UNAVAILABLE, detail, missing)

    def metrics(self) -> Response:
        """Return the metrics of all processes of this receiver, and the gauges."""
        counted, read = map(
            prometheus_client.generate_latest, (registry(), self._gauges)
        )
        text = counted + read
        return Response(text, content_type=prometheus_client.CONTENT_TYPE_LATEST)


def registry() -> CollectorRegistry:
    """Return where the metrics are: in files when PROMETHEUS_MULTIPROC_DIR is set."""
    shared = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call] # prometheus_client has no type here
    except ValueError:  # there is no such directory: one process is all there is
        return prometheus_client.REGISTRY
    return shared


def _why(check: Future[None]) -> str | None:
    """Return what is wrong with a part, or None."""
    if not check.done():
        check.cancel()
        return "did not answer in time"
    error = check.exception()
    if error is None:
        return None
    if isinstance(error, errors.RemoteUnavailableError | errors.BrokerConnectionError):
        return "does not answer"
    if isinstance(error, errors.SyncError):
        return "is not as it has to be"
    raise error
