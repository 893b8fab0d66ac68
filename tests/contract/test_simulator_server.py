"""The HTTP server of the simulators, as bytes on a connection."""

import socket
import threading
from collections.abc import Iterator

import flask
import pytest

from deploy.demo import server

_PATIENCE_SECONDS = 5


@pytest.fixture
def port() -> Iterator[int]:
    app = flask.Flask(__name__)
    app.add_url_rule(
        "/", "echo", lambda: flask.request.get_data().upper(), methods=["POST"]
    )
    listening = server.make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    yield listening.port
    listening.shutdown()
    thread.join()
    listening.server_close()


def ask(port: int, *lines: str, body: str = "") -> str:
    """Send a POST and return all that comes until the server hangs up."""
    head = "\r\n".join(("POST / HTTP/1.1", "Host: simulator", *lines, "", ""))
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS) as connection:
        connection.sendall((head + body).encode())
        with connection.makefile("rb") as answer:
            return answer.read().decode()


def test_a_body_is_read_as_far_as_its_length_goes(port: int) -> None:
    answer = ask(port, "Connection: close", "Content-Length: 2", body="abc")

    assert answer.startswith("HTTP/1.1 200 ")
    assert answer.endswith("\r\n\r\nAB")


@pytest.mark.parametrize("length", ["-1", "two", "1e3", "+2", "999999999999"])
def test_a_length_that_is_none_is_refused_at_once(port: int, length: str) -> None:
    answer = ask(port, f"Content-Length: {length}", body="abc")

    assert answer.startswith("HTTP/1.1 400 ")
