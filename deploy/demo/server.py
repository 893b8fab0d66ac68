"""An HTTP server in one process with a thread per connection, kept alive.

Werkzeug's own handler closes each connection after one answer. This one reads the whole
request first, so that the next one on the same connection starts where it should.
"""

import io
import logging
import re
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug import serving

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

_BACKLOG = 128
_GRACE_SECONDS = 1.0
# Up to 100 MB, which no request here comes near.
_LENGTH = re.compile(r"[0-9]{1,8}")
_log = logging.getLogger(__name__)
_FAILURE = ("500 INTERNAL SERVER ERROR", [("Content-Type", "text/plain")], b"Failed\n")


class Handler(serving.WSGIRequestHandler):
    """Answers the requests of one connection."""

    server: "Server"
    # An answer goes out at once and in one piece.
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answer one request; a lost answer closes the connection instead."""
        if not self.server.begin():
            self.close_connection = True
            return
        try:
            self._answer()
        finally:
            self.server.end()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: the simulator has a request log of its own."""

    def _answer(self) -> None:
        environ = self.make_environ()
        length = environ.get("CONTENT_LENGTH") or "0"
        if not _LENGTH.fullmatch(length):
            # Where the next request begins, nobody knows.
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, "Bad Content-Length")
            return
        if not environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(length)))
        try:
            status, headers, body = self._call(environ)
        except ConnectionAbortedError:
            self.close_connection = True
            return
        except Exception:  # noqa: BLE001 -- one request must not end the server
            _log.exception("A request failed")
            status, headers, body = _FAILURE
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _call(
        self, environ: dict[str, object]
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str,
            headers: list[tuple[str, str]],
            _error: "OptExcInfo | None" = None,
            /,
        ) -> Callable[[bytes], object]:
            started.append((status, headers))
            return written.append

        written: list[bytes] = []
        chunks = self.server.app(environ, start_response)
        try:
            body = b"".join([*written, *chunks])
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return (*started[-1], body)


class Server(serving.ThreadedWSGIServer):
    """Takes no more requests once closed, on the connections it has neither."""

    def __init__(self, host: str, port: int, app: Flask, fd: int) -> None:
        """Serve on a socket that listens."""
        self._change = threading.Condition()
        self._in_hand = 0
        # Werkzeug closes the socket it begins with to take the one it is given.
        super().__init__(host, port, app, handler=Handler, fd=fd)
        self._is_closed = False

    def begin(self) -> bool:
        """Say whether a request may still be answered; it is in hand until `end`."""
        with self._change:
            self._in_hand += not self._is_closed
            return not self._is_closed

    def end(self) -> None:
        """Count a request as answered."""
        with self._change:
            self._in_hand -= 1
            self._change.notify()

    def server_close(self) -> None:
        """Stop listening and give the requests in hand a moment to end."""
        super().server_close()
        with self._change:
            self._is_closed = True
            self._change.wait_for(lambda: self._in_hand == 0, _GRACE_SECONDS)


def make_server(host: str, port: int, app: Flask) -> Server:
    """Return a server that listens already; port 0 takes a free one.

    Raise OSError when it cannot listen there.
    """
    with socket.create_server((host, port), backlog=_BACKLOG) as listening:
        return Server(host, port, app, listening.fileno())
