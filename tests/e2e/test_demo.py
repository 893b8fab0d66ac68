"""`calendar-sync demo` as people start it: three users, both directions."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.services import processes

COMMAND = Path(__file__).parents[2] / ".venv/bin/calendar-sync"
PATIENCE_SECONDS = 150
STOP_SECONDS = 30
API = "/api/calendar-sync"
MARK = "CALENDAR_SYNC_TEST_MARK"

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo that is up, and what its line of JSON says."""

    process: "subprocess.Popen[str]"
    said: Mapping[str, Any]
    mark: str

    def connections(self) -> Mapping[str, Any]:
        """Return the connections by user."""
        answer = self._receiver("GET", "/connections")
        return {each["crm_user_id"]: each for each in answer["items"]}

    def jobs(self, **which: str) -> list[Any]:
        """Return jobs, newest first."""
        found: list[Any] = self._receiver("GET", "/jobs", params=which)["items"]
        return found

    def create_task(self, title: str, owner: str = "anna") -> str:
        """Create a meeting of tomorrow in the CRM and return its id."""
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        body = {
            "type": "Meeting",
            "title": title,
            "owner_id": owner,
            "due_at": tomorrow.isoformat(),
        }
        key = {"Idempotency-Key": uuid.uuid4().hex}
        task: dict[str, Any] = self._crm("POST", "/tasks", json=body, headers=key)
        return str(task["id"])

    def tasks(self) -> Mapping[str, Any]:
        """Return the first tasks of the CRM by title."""
        return {t["title"]: t for t in self._crm("GET", "/tasks?limit=500")["items"]}

    def events(self, account: str) -> Mapping[str, Any]:
        """Return the events of an account by title."""
        answer = self._google(account, "GET", "?maxResults=2500")
        return {each["summary"]: each for each in answer["items"]}

    def rename_event(self, account: str, event_id: str, title: str) -> None:
        """Give an event another title in Google."""
        self._google(account, "PATCH", f"/{event_id}", json={"summary": title})

    def account(self, user_id: str) -> str:
        """Return the Google account of a user."""
        accounts = {u["crm_user_id"]: u["google_account"] for u in self.said["users"]}
        return str(accounts[user_id])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def left_behind(self) -> list[str]:
        """Return the commands of all processes that descend from it and still run."""
        return [line for line in _commands_with(f"{MARK}={self.mark}") if line]

    def _receiver(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {self.said['admin_token']}"}
        return _ask(method, f"{self.said['receiver']}{API}{path}", headers, content)

    def _crm(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {self.said['crm_api_key']}"}
        headers |= content.pop("headers", {})
        return _ask(method, f"{self.said['crm']}/api/v1{path}", headers, content)

    def _google(self, account: str, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer demo-{account}"}
        root = f"{self.said['google']}/calendar/v3/calendars/primary/events"
        return _ask(method, f"{root}{path}", headers, content)


def _ask(
    method: str, url: str, headers: Mapping[str, str], content: Mapping[str, Any]
) -> Any:  # noqa: ANN401 - JSON
    answer = requests.request(method, url, headers=headers, timeout=30, **content)
    answer.raise_for_status()
    return answer.json()


def _commands_with(variable: str) -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()


@contextlib.contextmanager
def started(data: Path, *options: str, **environment: str) -> Iterator[Demo]:
    """Start the demo on free ports; end it with the block if it still runs."""
    mark = uuid.uuid4().hex
    base = processes.free_row(3)
    process = subprocess.Popen(  # noqa: S603 - our own command
        [COMMAND, "demo", "--json", f"--port-base={base}", f"--data={data}", *options],
        cwd=data.parent,
        env={**_clean_environment(), MARK: mark, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Demo(process=process, said=_line(process), mark=mark)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def _clean_environment() -> dict[str, str]:
    ours = ("DATABASE_URL", "AMQP_URL", "SECRET_KEYS", "LOG_LEVEL")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _line(process: "subprocess.Popen[str]") -> Mapping[str, Any]:
    # One that hangs would hold up the read of its line.
    alarm = threading.Timer(PATIENCE_SECONDS, process.kill)
    alarm.start()
    line = process.stdout.readline() if process.stdout else ""
    alarm.cancel()
    assert line, "the demo did not come up"
    said: Mapping[str, Any] = json.loads(line)
    return said


def wait_for(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def assert_in_step(demo: Demo, title: str, user_id: str) -> None:
    """Create a task, see its event, rename that, and see the task follow."""
    account = demo.account(user_id)
    demo.create_task(title, owner=user_id)
    wait_for(lambda: title in demo.events(account))
    renamed = f"{title}, renamed"

    demo.rename_event(account, demo.events(account)[title]["id"], renamed)

    wait_for(lambda: renamed in demo.tasks())
    assert title not in demo.tasks()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the demo of this module is kept."""
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def demo(data: Path) -> Iterator[Demo]:
    """Return a demo that was started for the first time."""
    with started(data) as demo:
        yield demo


def test_the_line_says_how_to_reach_everything(demo: Demo) -> None:
    assert set(demo.said) == {
        "receiver",
        "google",
        "crm",
        "crm_api_key",
        "organization",
        "admin_token",
        "users",
    }
    for name in ("receiver", "google", "crm"):
        assert requests.get(f"{demo.said[name]}/healthz", timeout=10).ok
    assert requests.get(f"{demo.said['receiver']}/readyz", timeout=10).ok


def test_everybody_is_connected_and_notified(demo: Demo) -> None:
    found = demo.connections()

    assert {found[u["crm_user_id"]]["state"] for u in demo.said["users"]} == {"active"}
    assert all(connection["channel"] for connection in found.values())
    for user in demo.said["users"]:
        assert found[user["crm_user_id"]]["google_account"] == user["google_account"]


def test_the_first_syncs_are_over_and_nothing_failed(demo: Demo) -> None:
    assert demo.jobs(state="running") == []
    assert demo.jobs(has_errors="true") == []


def test_what_was_planted_is_on_both_sides(demo: Demo) -> None:
    tasks, events = demo.tasks(), demo.events(demo.account("anna"))

    assert "Product demo for Kestrel Energy" in events
    assert "Prepare the Brightline review" in tasks
    assert "Pipeline review" in tasks
    # Private, of a type that is switched off, or without a date.
    assert "Dentist" not in tasks
    assert "Call Mr. Osei back about the offer" not in events
    assert "Update the price list" not in events


def test_meetings_follow_in_both_directions(demo: Demo) -> None:
    assert_in_step(demo, "Ad hoc meeting", "ben")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """How a demo ended, and what it had said when it came up."""

    code: int
    left_behind: list[str]
    said: Mapping[str, Any]


@pytest.fixture(scope="module")
def stopped(demo: Demo) -> Stopped:
    """Return a demo that was stopped after somebody had played with it."""
    assert_in_step(demo, "Played with", "anna")
    code = demo.stop()
    return Stopped(code=code, left_behind=demo.left_behind(), said=demo.said)


def test_a_stopped_demo_leaves_no_process_behind(stopped: Stopped) -> None:
    assert (stopped.code, stopped.left_behind) == (0, [])


def test_a_stopped_demo_goes_on_at_other_ports(data: Path, stopped: Stopped) -> None:
    with started(data) as again:
        assert again.said["receiver"] != stopped.said["receiver"]
        for kept in ("admin_token", "crm_api_key", "users"):
            assert again.said[kept] == stopped.said[kept]
        assert "Played with, renamed" in again.tasks()
        assert_in_step(again, "Meeting at other ports", "chitra")


def test_a_fresh_demo_has_forgotten_everything(data: Path, stopped: Stopped) -> None:
    with started(data, "--fresh") as fresh:
        assert fresh.said["admin_token"] != stopped.said["admin_token"]
        assert "Played with, renamed" not in fresh.tasks()
        assert "Product demo for Kestrel Energy" in fresh.events(fresh.account("anna"))


def test_a_killed_demo_takes_everything_with_it(tmp_path: Path) -> None:
    with started(tmp_path / "data") as demo:
        demo.stop(signal.SIGKILL)

        wait_for(lambda: demo.left_behind() == [])


def test_ctrl_c_stops_everything_while_it_starts(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    process = subprocess.Popen(  # noqa: S603 - our own command
        [
            COMMAND,
            "demo",
            f"--port-base={processes.free_row(3)}",
            f"--data={tmp_path}/d",
        ],
        cwd=tmp_path,
        env={**_clean_environment(), MARK: mark},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "Starting" in process.stderr.readline()

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=STOP_SECONDS)

    assert process.returncode == 0
    assert said.splitlines()[-1] == "Stopping ..."
    assert list(_commands_with(f"{MARK}={mark}")) == []


def test_it_runs_on_services_that_are_named(
    tmp_path: Path, rabbitmq_url: str, postgres_url: str
) -> None:
    services = {"AMQP_URL": rabbitmq_url, "DATABASE_URL": postgres_url}

    with started(tmp_path / "data", **services) as demo:
        assert_in_step(demo, "Meeting over RabbitMQ", "anna")
        assert not list(tmp_path.rglob("calendar-sync.db"))

    with started(tmp_path / "data", "--fresh", **services) as fresh:
        assert "Meeting over RabbitMQ, renamed" not in fresh.tasks()
