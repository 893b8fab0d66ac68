"""Metrics on a port of their own."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from deploy.cli.receiver import MetricsApart

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def app(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer whatever is asked."""
    start_response("200 OK", [])
    return [b"answered"]


@pytest.mark.parametrize(
    ("port", "path", "status"),
    [
        (8080, "/healthz", 200),
        (8080, "/metrics", 404),
        (9090, "/metrics", 200),
        (9090, "/healthz", 404),
        (9090, "/api/calendar-sync/settings", 404),
    ],
)
def test_each_port_has_its_own_addresses(port: int, path: str, status: int) -> None:
    client = Client(MetricsApart(app, 9090))

    answer = client.get(path, base_url=f"http://localhost:{port}")

    assert answer.status_code == status
