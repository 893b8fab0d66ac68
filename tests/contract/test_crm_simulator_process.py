"""The simulated CRM as a process: restarts, webhooks over HTTP, wrong usage."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import standardwebhooks

from deploy.demo.crm import transport, webhooks
from tests import stub_server
from tests.contract.crm_simulator import ANN, KEY, SECRET, meeting

PATIENCE_SECONDS = 15.0
NEW_SECRET = "whsec_bmV3LXNlY3JldC1vZi10aGUtdGVzdHM="  # noqa: S105 -- used by tests only
REPOSITORY = Path(__file__).parents[2]


@dataclass(slots=True)
class Process:
    """A simulator of its own process; `url` is known once it listens."""

    popen: subprocess.Popen[str]
    url: str

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_SECONDS)

    def call(
        self, method: str, path: str = "", body: object = None, key: str = "k1"
    ) -> Any:  # noqa: ANN401 -- JSON
        """Call the API on the tasks."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1/tasks{path}",
            json=body,
            headers={"Authorization": f"Bearer {KEY}", "Idempotency-Key": key},
            timeout=PATIENCE_SECONDS,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def order(self, path: str, **body: object) -> None:
        """Ask something of `/_admin`."""
        url = f"{self.url}/_admin/{path}"
        requests.post(url, json=body, timeout=PATIENCE_SECONDS).raise_for_status()

    def pending(self) -> int:
        """Return how many webhooks have not arrived."""
        url = f"{self.url}/_admin/webhooks"
        answer = requests.get(url, timeout=PATIENCE_SECONDS)
        return int(answer.json()["pending"])


@pytest.fixture
def receiver() -> Iterator[stub_server.StubServer]:
    with stub_server.running() as stub:
        yield stub


@pytest.fixture
def start(
    tmp_path: Path, receiver: stub_server.StubServer
) -> Iterator[Callable[..., Process]]:
    """Return what starts the simulator, always with the same data and one user."""
    with contextlib.ExitStack() as stack:

        def run(*options: str) -> Process:
            subscription = ["--webhook-url", receiver.url, "--webhook-secret", SECRET]
            popen = stack.enter_context(
                subprocess.Popen(  # noqa: S603 -- our own module
                    command(
                        tmp_path / "crm", "--api-key", KEY, *subscription, *options
                    ),
                    cwd=REPOSITORY,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(popen.kill)
            assert popen.stdout is not None
            line = popen.stdout.readline()
            process = Process(popen=popen, url=line.split()[-1])
            process.order("users", id=ANN, email="ann@example.com")
            return process

        yield run


def command(data: Path, *options: str) -> list[str]:
    """Return the command that runs the simulator on a free port."""
    module = [sys.executable, "-m", "deploy.demo.crm", "--port", "0"]
    return [*module, "--data", str(data), *options]


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_stops_cleanly(
    start: Callable[..., Process], number: signal.Signals
) -> None:
    process = start()
    process.call("POST", body=meeting())

    code = process.stop(number)

    assert code == 0
    assert process.url.startswith("http://127.0.0.1:")
    assert process.popen.stdout is not None
    assert process.popen.stdout.read() == ""


def test_what_was_answered_survives_a_kill(start: Callable[..., Process]) -> None:
    process = start()
    first = process.call("POST", body=meeting(google_event_id="e1"))
    second = process.call("POST", body=meeting(), key="k2")
    changed = process.call("PATCH", f"/{first['id']}", {"title": "New"})
    process.call("DELETE", f"/{second['id']}")

    process.stop(signal.SIGKILL)
    again = start()

    assert again.call("POST", body=meeting()) == changed
    assert again.call("GET", f"/{second['id']}")["deleted"] is True
    assert again.call("GET")["items"] == [changed]
    assert again.call("GET", "?google_event_id=e1")["items"] == [changed]


def test_a_webhook_arrives_at_once_and_can_be_verified(
    start: Callable[..., Process], receiver: stub_server.StubServer
) -> None:
    process = start("--webhook-secret", NEW_SECRET)
    made = process.call("POST", body=meeting(title="Käse & Brot 🧀"))
    until(lambda: len(receiver.received) == 1)

    (received,) = receiver.received
    for secret in (SECRET, NEW_SECRET):
        document = standardwebhooks.Webhook(secret).verify(
            received.body.decode(), dict(received.headers)
        )
        assert document["data"] == made
    assert received.headers["content-type"] == "application/json"
    until(lambda: process.pending() == 0)


def test_a_webhook_that_failed_is_sent_again(
    start: Callable[..., Process], receiver: stub_server.StubServer
) -> None:
    receiver.answer(status=503)
    receiver.drop()
    process = start()

    process.call("POST", body=meeting())

    until(lambda: len(receiver.received) == 3)
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 1
    until(lambda: process.pending() == 0)


def test_webhooks_that_had_not_arrived_survive_a_kill(
    start: Callable[..., Process], receiver: stub_server.StubServer
) -> None:
    process = start()
    process.order("webhooks", delay_seconds=60)
    made = process.call("POST", body=meeting())

    process.stop(signal.SIGKILL)
    again = start()

    until(lambda: len(receiver.received) == 1)
    assert receiver.received[0].json["data"] == made
    until(lambda: again.pending() == 0)


def test_a_receiver_that_hangs_holds_neither_the_others_nor_the_end_up(
    start: Callable[..., Process], receiver: stub_server.StubServer
) -> None:
    receiver.stall()
    process = start()
    for number in range(3):
        process.call("POST", body=meeting(), key=f"k{number}")
    until(lambda: process.pending() == 1)

    begun = time.monotonic()
    code = process.stop(signal.SIGTERM)

    assert code == 0
    assert time.monotonic() - begun < 10


def test_a_hundred_changes_at_once_all_arrive(
    start: Callable[..., Process], receiver: stub_server.StubServer
) -> None:
    process = start()

    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda n: process.call("POST", body=meeting(), key=f"k{n}"),
                range(100),
            )
        )
    until(lambda: process.pending() == 0)

    told = [received.json["data"]["id"] for received in receiver.received]
    assert sorted(told) == sorted(task["id"] for task in made)


@pytest.mark.parametrize("has_answer", [True, False])
def test_the_status_of_the_answer_is_told_if_there_is_one(
    receiver: stub_server.StubServer, *, has_answer: bool
) -> None:
    post = transport.HttpPost(timeout_seconds=0.2)
    receiver.answer(
        status=307, location="/elsewhere"
    ) if has_answer else receiver.stall()

    status = post(receiver.url, {"webhook-id": "msg_1"}, b"{}")

    assert status == (307 if has_answer else webhooks.NO_ANSWER)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--port", "99999"], "--port"),
        (["--port", "x"], "--port"),
        (["--data", "/dev/null/x"], "--data"),
        (["--webhook-secret", "hush"], "must be whsec_ followed by base64"),
        (["--webhook-secret", "whsec_hush!"], "must be whsec_ followed by base64"),
        (["--webhook-url", "receiver"], "'receiver' is no http address"),
        (["--webhook-url", "http://localhost/"], "needs a --webhook-secret"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_code_two(
    tmp_path: Path, options: list[str], complaint: str
) -> None:
    done = subprocess.run(  # noqa: S603 -- our own module
        command(tmp_path, "--api-key", KEY, *options),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_clear_line(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    port = str(urlsplit(start().url).port)

    done = subprocess.run(  # noqa: S603 -- our own module
        [*command(tmp_path / "other", "--api-key", KEY), "--port", port],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == f"error: --port: Address already in use: 127.0.0.1:{port}\n"
