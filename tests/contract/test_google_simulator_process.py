"""The simulated Google as a process: connections, restarts, pushes over HTTP."""

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from deploy.demo import timetable
from deploy.demo.google import delivery
from tests.contract.google_simulator import ANNA, hour

PATIENCE_SECONDS = 15.0
SOON_SECONDS = 5.0
EVENTS = "/calendar/v3/calendars/primary/events"
AUTHORIZATION = {"Authorization": f"Bearer demo-{ANNA}"}


@dataclass(slots=True)
class Process:
    """A simulator of its own process; `url` is known once it listens."""

    popen: subprocess.Popen[str]
    url: str

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_SECONDS)

    def call(self, method: str, path: str = "", body: object = None) -> Any:  # noqa: ANN401 -- JSON
        """Call the API on Anna's calendar."""
        url = f"{self.url}{EVENTS}{path}"
        answer = requests.request(
            method, url, json=body, headers=AUTHORIZATION, timeout=PATIENCE_SECONDS
        )
        answer.raise_for_status()
        return answer.json()

    def order(self, path: str, **body: object) -> None:
        """Ask something of `/_admin`."""
        url = f"{self.url}/_admin/{path}"
        requests.post(url, json=body, timeout=PATIENCE_SECONDS).raise_for_status()

    def ask(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        """Read from `/_admin`."""
        url = f"{self.url}/_admin/{path}"
        return requests.get(url, timeout=PATIENCE_SECONDS).json()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    with contextlib.ExitStack() as stack:

        def run() -> Process:
            command = [sys.executable, "-m", "deploy.demo.google", "--port", "0"]
            options = ["--data", str(tmp_path / "google"), "--accounts", ANNA]
            popen = stack.enter_context(
                subprocess.Popen(  # noqa: S603 -- our own module
                    [*command, *options],
                    cwd=Path(__file__).parents[2],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(popen.kill)
            assert popen.stdout is not None
            line = popen.stdout.readline()
            return Process(popen=popen, url=line.split()[-1])

        yield run


@dataclass(slots=True)
class Receiver:
    """Takes pushes and answers with the next of `statuses`, then with 204."""

    statuses: list[int] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    received: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def wait_for(self, count: int) -> None:
        """Wait until so many pushes have come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.received) < count:
            assert time.monotonic() < deadline, self.received
            time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.received.append(dict(self.headers))
            receiver.may_answer.wait(PATIENCE_SECONDS)
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{listening.server_port}/push"
    yield receiver
    receiver.may_answer.set()
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_stops_cleanly(
    start: Callable[[], Process], number: signal.Signals
) -> None:
    process = start()
    process.call("POST", body=hour("2026-12-01T10:00"))

    code = process.stop(number)

    assert code == 0
    assert process.url.startswith("http://127.0.0.1:")
    assert process.popen.stdout is not None
    assert process.popen.stdout.read() == ""


def test_a_receiver_that_hangs_does_not_hold_up_the_end(
    start: Callable[[], Process], receiver: Receiver
) -> None:
    process = start()
    receiver.may_answer.clear()
    watched = {"id": "c1", "type": "web_hook", "address": receiver.url}
    process.call("POST", "/watch", watched)
    receiver.wait_for(1)
    began = time.monotonic()

    code = process.stop(signal.SIGTERM)

    assert code == 0
    assert time.monotonic() - began < SOON_SECONDS


def test_what_is_in_hand_at_the_end_is_answered_and_nothing_more(
    start: Callable[[], Process],
) -> None:
    process = start()
    process.order("faults", latency_seconds=0.5, times=1)
    statuses: list[int] = []

    def ask_for_ever() -> None:
        url = f"{process.url}{EVENTS}"
        with requests.Session() as session:
            while True:
                answer = session.get(url, headers=AUTHORIZATION, timeout=10)
                statuses.append(answer.status_code)

    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask_for_ever)
        while process.ask("faults")["faults"]:
            assert not asking.done()
        code = process.stop(signal.SIGTERM)

    assert code == 0
    assert statuses == [HTTPStatus.OK]
    assert isinstance(asking.exception(), requests.ConnectionError)
    assert process.popen.stderr is not None
    assert process.popen.stderr.read() == ""


def test_what_was_answered_survives_a_kill(start: Callable[[], Process]) -> None:
    process = start()
    body = {**hour("2026-12-01T10:00"), "id": "abc123", "summary": "Kick-off"}
    made = process.call("POST", body=body)
    token = process.call("GET")["nextSyncToken"]
    process.call("PATCH", "/abc123", {"summary": "Changed"})
    watched = {"id": "c1", "type": "web_hook", "address": "https://r.example.com/"}
    process.call("POST", "/watch", watched)

    process.stop(signal.SIGKILL)
    again = start()

    (row,) = again.call("GET", f"?syncToken={token}")["items"]
    assert row["summary"] == "Changed"
    assert row["created"] == made["created"]
    channels = again.ask("channels")["channels"]
    assert [channel["id"] for channel in channels] == ["c1"]


def test_a_connection_is_kept_for_the_next_request(
    start: Callable[[], Process],
) -> None:
    process = start()
    host = urlsplit(process.url).netloc
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)

    with contextlib.closing(connection):
        connection.request("GET", "/nowhere", body=b"never read by the application")
        first = connection.getresponse()
        first.read()
        socket = connection.sock
        connection.request("POST", EVENTS, json.dumps(hour("2026-12-01T10:00")))
        second = connection.getresponse()
        second.read()

        assert (first.status, second.status) == (404, 401)
        assert connection.sock is socket
        assert second.getheader("Date")


def test_many_clients_of_one_id_make_one_event(start: Callable[[], Process]) -> None:
    process = start()
    body = {**hour("2026-12-01T10:00"), "id": "abc123"}
    statuses: list[int] = []

    def insert() -> None:
        answer = requests.post(
            f"{process.url}{EVENTS}", json=body, headers=AUTHORIZATION, timeout=10
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=insert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [HTTPStatus.OK] + [HTTPStatus.CONFLICT] * 7


@pytest.mark.parametrize("kind", ["drop", "timeout"])
def test_a_lost_answer_is_a_closed_connection(
    start: Callable[[], Process], kind: str
) -> None:
    process = start()
    process.order("faults", apply_then_fail=kind, latency_seconds=0.1, times=1)

    with pytest.raises(requests.ConnectionError):
        process.call("POST", body={**hour("2026-12-01T10:00"), "id": "abc123"})

    assert process.call("GET", "/abc123")["status"] == "confirmed"


def test_a_push_is_a_post_without_a_body(
    start: Callable[[], Process], receiver: Receiver
) -> None:
    process = start()
    watched = {"id": "c1", "type": "web_hook", "address": receiver.url, "token": "t"}

    process.call("POST", "/watch", watched)
    receiver.wait_for(1)
    process.call("POST", body=hour("2026-12-01T10:00"))
    receiver.wait_for(2)

    sync, exists = receiver.received
    assert sync["Content-Length"] == "0"
    assert sync["X-Goog-Resource-State"] == "sync"
    assert sync["X-Goog-Channel-Token"] == "t"
    assert exists["X-Goog-Resource-State"] == "exists"
    assert exists["User-Agent"].startswith("APIs-Google")


def test_a_push_is_tried_again_after_a_5xx_and_only_then(receiver: Receiver) -> None:
    receiver.statuses = [503, 500, 204, 400, 204]
    sender = delivery.HttpSender(timetable.Backoff(first=0.01))
    first = delivery.Notification(address=receiver.url, headers={"X-Name": "first"})
    second = delivery.Notification(address=receiver.url, headers={"X-Name": "second"})
    third = delivery.Notification(address=receiver.url, headers={"X-Name": "third"})

    with contextlib.closing(sender):
        for count, notification in ((3, first), (4, second), (5, third)):
            sender.send(notification)
            receiver.wait_for(count)

    names = [headers["X-Name"] for headers in receiver.received]
    assert names == ["first"] * 3 + ["second", "third"]


def test_a_push_to_nobody_is_given_up_in_the_end() -> None:
    backoff = timetable.Backoff(first=1.0, most=8.0, attempts=6)

    waits = [backoff.after(attempt) for attempt in range(1, 7)]

    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, None]


def test_a_push_before_the_answer_has_arrived_when_the_watch_returns(
    start: Callable[[], Process], receiver: Receiver
) -> None:
    process = start()
    process.order("faults", notifications="before_response", times=1)

    watched = {"id": "c1", "type": "web_hook", "address": receiver.url}
    process.call("POST", "/watch", watched)

    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--port", "99999"], "--port"),
        (["--port", "x"], "--port"),
        (["--port", "0", "--accounts", "anna"], "'anna' is no e-mail address"),
        (["--port", "0", "--time-zone", "X/Y"], "'X/Y' is no time zone"),
        (["--port", "0", "--data", "/dev/null/x"], "--data"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_code_two(
    tmp_path: Path, options: list[str], complaint: str
) -> None:
    command = [sys.executable, "-m", "deploy.demo.google", "--data", str(tmp_path)]

    done = subprocess.run(  # noqa: S603 -- our own module
        [*command, *options],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_clear_line(
    start: Callable[[], Process], tmp_path: Path
) -> None:
    port = str(urlsplit(start().url).port)
    command = [sys.executable, "-m", "deploy.demo.google", "--port", port]

    done = subprocess.run(  # noqa: S603 -- our own module
        [*command, "--data", str(tmp_path / "other")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == f"error: --port: Address already in use: 127.0.0.1:{port}\n"
