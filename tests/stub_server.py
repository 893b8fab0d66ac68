"""An HTTP server on this machine that answers as it is told and keeps what it got."""

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came in; the names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> Mapping[str, str]:
        """The body as a form whose fields occur once each."""
        return {k: v[0] for k, v in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to answer; `is_dropped` closes the connection instead."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_dropped: bool = False


class StubServer:
    """Answers requests in the order that was ordered, then with 200 and `{}`."""

    def __init__(self, url: str) -> None:
        """Take the address it listens on."""
        self.url = url
        self.received: list[Received] = []
        self.released = threading.Event()
        """Stalled answers go out once this is set."""
        self._answers: deque[Answer | None] = deque()

    def answer(
        self, document: object = None, *, status: int = 200, **headers: str
    ) -> None:
        """Order an answer in JSON; `retry_after="1"` becomes `Retry-After: 1`."""
        body = b"" if document is None else json.dumps(document).encode()
        self.answer_raw(body, status=status, **headers)

    def answer_raw(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        """Order an answer of these bytes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.append(Answer(status=status, body=body, headers=named))

    def drop(self) -> None:
        """Order that the connection is closed instead of an answer."""
        self._answers.append(Answer(is_dropped=True))

    def stall(self) -> None:
        """Order that an answer waits until `released` is set."""
        self._answers.append(None)

    def forget(self) -> None:
        """Begin anew: nothing was received, nothing is ordered."""
        self.received.clear()
        self._answers.clear()

    def take(self, received: Received) -> Answer:
        """Keep a request and return the answer to it."""
        self.received.append(received)
        answer = self._answers.popleft() if self._answers else Answer()
        if answer is None:
            self.released.wait(30)
            return Answer(body=b'{"late": true}')
        return answer


@contextlib.contextmanager
def running() -> Iterator[StubServer]:
    """Yield a server that listens on a free port while the block runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    stub = server.stub = StubServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield stub
    finally:
        stub.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stub: StubServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        url = urlsplit(self.path)
        received = Received(
            method=self.command,
            path=url.path,
            query=parse_qs(url.query),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        answer = self.server.stub.take(received)
        if answer.is_dropped:
            self.close_connection = True
            return
        with contextlib.suppress(ConnectionError):
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        own = {name.lower() for name in answer.headers}
        self.send_response_only(answer.status)
        if "date" not in own:
            self.send_header("Date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
