"""`calendar-sync demo` in a process of its own, and what people do in it."""

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

import requests

from tests.services import processes

COMMAND = Path(__file__).parents[2] / ".venv/bin/calendar-sync"
PATIENCE_SECONDS = 150
STOP_SECONDS = 30
API = "/api/calendar-sync"
MARK = "CALENDAR_SYNC_TEST_MARK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo that is up, and what its line of JSON says."""

    data: Path
    said: Mapping[str, Any]
    process: "subprocess.Popen[str] | None" = None
    """None where somebody else has started it, and will stop it."""
    mark: str = ""

    def connections(self) -> Mapping[str, Any]:
        """Return the connections by user."""
        answer = self.receiver("GET", "/connections")
        return {each["crm_user_id"]: each for each in answer["items"]}

    def users(self) -> Mapping[str, Any]:
        """Return the CRM's users, as far as we know them, by id."""
        rows = self.receiver("GET", "/users")["items"]
        return {row["crm_user_id"]: row for row in rows}

    def jobs(self, **which: str) -> list[Any]:
        """Return jobs, newest first."""
        found: list[Any] = self.receiver("GET", "/jobs", params=which)["items"]
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
        task: dict[str, Any] = self.crm("POST", "/tasks", json=body, headers=key)
        return str(task["id"])

    def tasks(self) -> Mapping[str, Any]:
        """Return the first tasks of the CRM by title."""
        return {t["title"]: t for t in self.crm("GET", "/tasks?limit=500")["items"]}

    def events(self, account: str) -> Mapping[str, Any]:
        """Return the events of an account by title."""
        answer = self.google(account, "GET", "?maxResults=2500")
        return {each["summary"]: each for each in answer["items"]}

    def rename_event(self, account: str, event_id: str, title: str) -> None:
        """Give an event another title in Google."""
        self.google(account, "PATCH", f"/{event_id}", json={"summary": title})

    def account(self, user_id: str) -> str:
        """Return the Google account of a user."""
        accounts = {u["crm_user_id"]: u["google_account"] for u in self.said["users"]}
        return str(accounts[user_id])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def left_behind(self) -> list[str]:
        """Return the commands of all processes that descend from it and still run."""
        return [line for line in commands_with(f"{MARK}={self.mark}") if line]

    def login_link(self, role: str, user_id: str | None = None) -> str:
        """Return a one-time address that signs somebody in."""
        who = ["--user", user_id] if user_id else []
        command = [COMMAND, "login-link", "--org", self.said["organization"]]
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "--role", role, *who],
            cwd=self.data,
            env=clean_environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def receiver(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        """Make a call of our API as its admin."""
        headers = {"Authorization": f"Bearer {self.said['admin_token']}"}
        return _ask(method, f"{self.said['receiver']}{API}{path}", headers, content)

    def crm(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        """Make a call of the CRM's API."""
        headers = {"Authorization": f"Bearer {self.said['crm_api_key']}"}
        headers |= content.pop("headers", {})
        return _ask(method, f"{self.said['crm']}/api/v1{path}", headers, content)

    def google(self, account: str, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        """Make a call about the events of an account's main calendar."""
        headers = {"Authorization": f"Bearer demo-{account}"}
        root = f"{self.said['google']}/calendar/v3/calendars/primary/events"
        return _ask(method, f"{root}{path}", headers, content)


def _ask(
    method: str, url: str, headers: Mapping[str, str], content: Mapping[str, Any]
) -> Any:  # noqa: ANN401 - JSON
    answer = requests.request(method, url, headers=headers, timeout=30, **content)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def commands_with(variable: str) -> Iterator[str]:
    """Yield the commands of the processes that have this in their environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def running_in(data: Path, said: Mapping[str, Any]) -> Demo:
    """Return a demo that runs already."""
    return Demo(data=data.absolute(), said=said)


@contextlib.contextmanager
def started(data: Path, *options: str, **environment: str) -> Iterator[Demo]:
    """Start the demo on free ports; end it with the block if it still runs."""
    mark = uuid.uuid4().hex
    base = processes.free_row(3)
    process = subprocess.Popen(  # noqa: S603 - our own command
        [COMMAND, "demo", "--json", f"--port-base={base}", f"--data={data}", *options],
        cwd=data.parent,
        env={**clean_environment(), MARK: mark, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Demo(process=process, data=data, said=_line(process), mark=mark)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def clean_environment() -> dict[str, str]:
    """Return the environment without what configures the product."""
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
