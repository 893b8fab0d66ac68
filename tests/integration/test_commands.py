"""The long-running commands as processes: starting, stopping, being killed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped] # ships no types
import pytest
import requests

from tests import store_rows
from tests.services.processes import free_ports

PATIENCE_SECONDS = 60.0
READY = "All processes are running"
T = TypeVar("T")


class Installation:
    """A database of its own, and the processes that were started on it."""

    def __init__(self, folder: Path) -> None:
        """Take an empty folder."""
        self._folder = folder
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._started: list[subprocess.Popen[bytes]] = []

    def environment(self, **more: str) -> dict[str, str]:
        """Return the configuration, and nothing of this process's own."""
        inherited = {name: os.environ[name] for name in ("PATH",)}
        return {
            **inherited,
            "DATABASE_URL": f"sqlite:///{self._folder}/calendar-sync.db",
            "PUBLIC_URL": self.url,
            "LOG_FORMAT": "text",
            **more,
        }

    @property
    def other_database(self) -> str:
        """The address of another database in the same folder."""
        return f"sqlite:///{self._folder}/other.db"

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command; what it says is kept."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "deploy.cli", *arguments],
                cwd=Path(__file__).parents[2],
                env=self.environment(**environment),
                stdout=log,
                stderr=log,
            )
        self._started.append(process)
        return process

    def run(self, *arguments: str, **environment: str) -> tuple[int, list[str]]:
        """Run a command to its end; return its exit code and what it said."""
        before = len(self.said())
        code = self.start(*arguments, **environment).wait(PATIENCE_SECONDS)
        return code, self.said()[before:]

    def said(self) -> list[str]:
        """Return the lines that all processes have said."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until something was said."""
        eventually(lambda: sum(text in line for line in self.said()) >= times)

    def is_up(self) -> bool:
        """Tell whether the receiver answers."""
        return self.status("/healthz") == 200

    def status(self, path: str, port: int | None = None) -> int | None:
        """Return the status of an answer, None when there is none."""
        url = f"http://127.0.0.1:{port}" if port else self.url
        try:
            return requests.get(url + path, timeout=5).status_code
        except requests.ConnectionError:
            return None

    def counted(self) -> float:
        """Return how many webhooks the metrics have counted."""
        metrics = requests.get(f"{self.url}/metrics", timeout=10).text
        counters = re.findall(
            r"^calendar_sync_webhooks_total\{.*\} (.*)", metrics, re.MULTILINE
        )
        return sum(map(float, counters))

    def parts(self) -> dict[str, Any]:
        """Return the processes that the first command keeps running, by name."""
        found = {}
        for child in psutil.Process(self._started[0].pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, ValueError):
                words = child.cmdline()
                found[words[words.index("deploy.cli") + 1]] = child
        return found

    def servers(self) -> list[psutil.Process]:
        """Return the processes that answer, below the first command."""
        children: list[psutil.Process] = psutil.Process(self._started[0].pid).children()
        return children

    def close(self) -> None:
        """End what is left."""
        for process in self._started:
            if process.poll() is None:
                process.terminate()
        for process in self._started:
            process.wait(PATIENCE_SECONDS)

    @property
    def _log(self) -> Path:
        return self._folder / "log"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    """Return an installation in embedded mode."""
    with contextlib.closing(Installation(tmp_path)) as made:
        yield made


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Return an installation whose receiver has two processes."""
    with contextlib.closing(Installation(tmp_path_factory.mktemp("serving"))) as made:
        made.start("serve", "--workers", "2")
        eventually(made.is_up)
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Return an installation that runs as a whole."""
    with contextlib.closing(Installation(tmp_path_factory.mktemp("running"))) as made:
        made.start("run")
        made.wait_for(READY)
        yield made


def eventually(read: Callable[[], T]) -> T:
    """Return what is read once it is true."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (value := read()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)
    return value


# -- serve ------------------------------------------------------------------------


def test_a_receiver_serves_until_it_is_asked_to_stop(here: Installation) -> None:
    process = here.start("serve")
    eventually(here.is_up)
    ready = here.status("/readyz")

    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert ready == 200
    assert here.status("/healthz") is None
    (line,) = here.said()
    assert line.endswith(f"Listening on {here.url}")


def test_a_port_in_use_is_told_in_one_line(serving: Installation) -> None:
    code, (said,) = serving.run("serve")

    assert code == 2
    assert said.startswith("Error: --port: cannot listen on 127.0.0.1:")
    assert said.endswith(f":{serving.port} (Address already in use)")


def test_several_processes_count_together(serving: Installation) -> None:
    before = serving.counted()
    headers = {"X-Goog-Channel-ID": "c1", "X-Goog-Resource-State": "exists"}

    for _ in range(40):
        url = f"{serving.url}/webhooks/google"
        # A connection each, so that both processes get some.
        assert requests.post(url, headers=headers, timeout=10).status_code == 401

    assert serving.counted() == before + 40


def test_a_process_that_ends_leaves_the_counts_to_the_others(
    serving: Installation,
) -> None:
    requests.post(f"{serving.url}/webhooks/google", timeout=10)
    before = serving.counted()
    ending, *_ = serving.servers()

    ending.terminate()

    eventually(lambda: ending not in serving.servers() and len(serving.servers()) == 2)
    eventually(serving.is_up)
    assert serving.counted() == before


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/healthz?" + "x" * 5000, {}, 414),
        ("/healthz", {"X-Long": "x" * 9000}, 431),
        ("/healthz", {f"X-{n}": "x" for n in range(80)}, 431),
    ],
)
def test_requests_have_their_limits(
    serving: Installation, path: str, headers: dict[str, str], status: int
) -> None:
    answer = requests.get(serving.url + path, headers=headers, timeout=10)

    assert answer.status_code == status
    assert serving.is_up()


def test_a_malformed_body_is_a_mistake_of_its_sender(serving: Installation) -> None:
    head = (
        b"POST /logout HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as line:
        line.sendall(head + b"no length\r\n")
        answer = line.recv(1024)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert serving.is_up()


def test_a_receiver_that_was_killed_can_be_started_at_once(here: Installation) -> None:
    first = here.start("serve", "--workers", "2")
    eventually(here.is_up)

    first.kill()
    first.wait(PATIENCE_SECONDS)
    here.start("serve")

    here.wait_for("Listening on", times=2)
    eventually(here.is_up)


def test_metrics_can_have_a_port_of_their_own(here: Installation) -> None:
    (port,) = free_ports(1)

    here.start("serve", METRICS_PORT=str(port))
    eventually(here.is_up)

    assert here.status("/metrics") == 404
    assert here.status("/metrics", port) == 200
    assert here.status("/healthz", port) == 404


# -- work, periodic ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "begun", "number", "ended"),
    [
        ("work", "Working on", signal.SIGTERM, "Stopped working"),
        ("periodic", "Running the timers", signal.SIGINT, "Stopped the timers"),
    ],
)
def test_workers_and_timers_stop_when_asked(
    here: Installation, command: str, begun: str, number: signal.Signals, ended: str
) -> None:
    (port,) = free_ports(1)
    process = here.start(command, METRICS_PORT=str(port))
    here.wait_for(begun)
    metrics = here.status("/metrics", port)

    process.send_signal(number)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert here.said()[-1].endswith(ended)
    assert metrics == 200


def test_a_killed_worker_makes_room_for_the_next(here: Installation) -> None:
    first = here.start("work")
    here.wait_for("Working on")

    first.kill()
    first.wait(PATIENCE_SECONDS)
    here.start("work", "records")

    here.wait_for("Working on records")


def test_workers_on_two_databases_do_not_mind_each_other(here: Installation) -> None:
    here.start("work")
    here.wait_for("Working on")

    here.start("work", DATABASE_URL=here.other_database)

    here.wait_for("Working on", times=2)


def test_a_worker_waits_for_a_broker_that_is_not_up_yet(here: Installation) -> None:
    (port,) = free_ports(1)
    elsewhere = {
        "AMQP_URL": f"amqp://127.0.0.1:{port}/",
        "SECRET_KEYS": store_rows.KEY,
    }
    here.run("org", "list", SECRET_KEYS=store_rows.KEY)
    process = here.start("work", **elsewhere)

    here.wait_for("Cannot begin yet, trying again in", times=2)

    assert process.poll() is None


# -- run --------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["serve", "work", "periodic"])
def test_a_part_that_dies_is_started_again(running: Installation, part: str) -> None:
    before = running.parts()[part]

    before.kill()
    running.wait_for(f"Lost {part} (SIGKILL)")

    eventually(lambda: running.parts().get(part, before).pid != before.pid)
    eventually(running.is_up)


def test_a_second_run_on_one_machine_is_refused(running: Installation) -> None:
    (port,) = free_ports(1)
    worker = eventually(lambda: running.parts().get("work"))

    code, said = running.run("run", "--port", str(port))

    assert code == 2
    assert worker is not None
    refusal = "Error: another `calendar-sync work` runs on this database already"
    assert f"{refusal} (process {worker.pid})" in said
    assert running.is_up()


def test_all_parts_run_together_and_stop_together(here: Installation) -> None:
    process = here.start("run")
    here.wait_for(READY)
    parts = here.parts()
    below = psutil.Process(process.pid).children(recursive=True)
    ready = here.status("/readyz")

    process.send_signal(signal.SIGINT)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert set(parts) == {"serve", "work", "periodic"}
    assert ready == 200
    assert [each for each in below if each.is_running()] == []
    assert [line for line in here.said() if " INFO " not in line] == []


def test_nothing_outlives_a_run_that_is_killed(here: Installation) -> None:
    process = here.start("run")
    here.wait_for(READY)
    family = psutil.Process(process.pid)
    # gunicorn, a worker of it, `work` and `periodic`.
    eventually(lambda: len(family.children(recursive=True)) >= 4)
    below = family.children(recursive=True)

    process.kill()

    _, alive = psutil.wait_procs(below, timeout=PATIENCE_SECONDS)
    assert alive == []
