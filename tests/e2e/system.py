"""The whole product in processes of its own, between two simulators.

Driven only from outside: the command, the HTTP API, and what people do in the CRM and
in Google Calendar. Settings reach the processes through their environment, as in
production.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil  # type: ignore[import-untyped] # ships no types
import requests
from cryptography.fernet import Fernet

from tests import simulators
from tests.services.processes import free_row

ORGANIZATION = "acme"
API_KEY = "key-of-the-scenario"
SECRET = "whsec_c2VjcmV0LW9mLXRoZS1zY2VuYXJpby0x"  # noqa: S105 - made up
CLIENT = {"client_id": "scenario", "client_secret": "hush-scenario"}
PATIENCE_SECONDS = 60.0
"""How long anything may take, retries of the delay queues included."""

_T = TypeVar("_T")


def eventually(
    check: Callable[[], _T],
    seconds: float = PATIENCE_SECONDS,
    *,
    look_seconds: float = 0.05,
) -> _T:
    """Return what `check` returns once it asserts nothing wrong."""
    until = time.monotonic() + seconds
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > until:
                raise
        time.sleep(look_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the CRM with a Google account; the addresses may differ."""

    id: str
    email: str
    account: str


PEOPLE = (
    Person(id="ann", email="ann@example.com", account="ann@example.com"),
    Person(id="ben", email="ben@example.com", account="ben.private@gmail.example"),
    Person(id="cleo", email="cleo@example.com", account="cleo@example.com"),
)
ANN, BEN, CLEO = PEOPLE


class System:
    """All processes; stopped at the end of the block."""

    names: Sequence[str] = ("serve", "work", "periodic")
    """The processes of the product, in the order of their start."""

    def __init__(
        self,
        directory: Path,
        *,
        database_url: str,
        amqp_url: str | None = None,
        safety_poll_seconds: int,
        connected: Sequence[Person] = PEOPLE,
        has_google_app: bool = True,
    ) -> None:
        """Take where to keep files, the services to run on, and what is set up."""
        self._has_google_app = has_google_app
        self._connected = connected
        self._safety_poll_seconds = safety_poll_seconds
        self._directory = directory
        port = free_row(1)
        self.port = port
        self.url = self.webhooks_url = f"http://127.0.0.1:{port}"
        self._database_url, self._amqp_url = database_url, amqp_url
        self._secret_key = Fernet.generate_key().decode()
        self._stack = contextlib.ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.token = ""
        self.source = Path.cwd()
        """The folder of the code that processes and commands are started from."""
        self.restart_broker: Callable[[], None] | None = None
        """Lets RabbitMQ crash and start again, where there is one."""
        self.google: simulators.Simulator
        self.crm: simulators.Simulator

    def __enter__(self) -> Self:
        """Start everything and connect people."""
        try:
            self._start_simulators()
            self.command("migrate")
            self.create_organization()
            for name in self.names:
                self.start(name)
            eventually(self.assert_ready)
            if self._has_google_app:
                self.api("PUT", "/google-app", CLIENT)
            for person in self._connected:
                self.connect(person)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        for name in list(self._running):
            self.stop(name)
        self._stack.close()

    # -- processes ----------------------------------------------------------------

    def start(self, name: str, **environment: str) -> None:
        """Start `serve`, `work` or `periodic`; another one is, say, `new work`."""
        log = self._stack.enter_context((self._directory / f"{name}.log").open("ab"))
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own command
            [*_COMMAND, *self.arguments_of(name)],
            cwd=self.source,
            env=self.environment() | environment,
            stdout=log,
            stderr=log,
        )

    def arguments_of(self, name: str) -> Sequence[str]:
        """Return the command line of a process, without the program."""
        command = name.rsplit(maxsplit=1)[-1]
        options = ["--port", str(self.port)] if command == "serve" else []
        return [command, *options]

    def stop(self, name: str) -> int:
        """Ask a process to stop, wait for it, and return its exit code."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(PATIENCE_SECONDS)

    def resident_bytes(self, name: str) -> int:
        """Return how much memory a process takes."""
        return int(psutil.Process(self._running[name].pid).memory_info().rss)

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)

    def restart(self, name: str, **environment: str) -> None:
        """Stop a process and start it again, with other settings if given."""
        self.stop(name)
        self.start(name, **environment)

    def process(self, name: str) -> psutil.Process:
        """Return a running process, to look at what it uses."""
        return psutil.Process(self._running[name].pid)

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Let a process do nothing while the block runs."""
        process = self._running[name]
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def logs(self, name: str) -> str:
        """Return what a process wrote so far."""
        return (self._directory / f"{name}.log").read_text()

    def command(self, *arguments: str) -> str:
        """Run a command of the product to its end and return what it printed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [*_COMMAND, *arguments],
            cwd=self.source,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def login_link(self, role: str, user_id: str | None = None) -> str:
        """Return a one-time address that signs somebody in."""
        who = ["--user", user_id] if user_id else []
        return self.command("login-link", "--org", ORGANIZATION, "--role", role, *who)

    def environment(self) -> dict[str, str]:
        """Return what the product's processes are told by their environment."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in {"PATH", "HOME", "LANG", "PYTHONPATH"}
        }
        environment = {
            **inherited,
            "DATABASE_URL": self._database_url,
            "SECRET_KEYS": self._secret_key,
            "PUBLIC_URL": self.url,
            "GOOGLE_API_URL": self.google.url,
            "GOOGLE_AUTH_URL": f"{self.google.url}/o/oauth2/v2/auth",
            "GOOGLE_TOKEN_URL": f"{self.google.url}/token",
            "GOOGLE_REVOKE_URL": f"{self.google.url}/revoke",
            "SAFETY_POLL_SECONDS": str(self._safety_poll_seconds),
            "LOG_FORMAT": "text",
        }
        if self._amqp_url is not None:
            environment["AMQP_URL"] = self._amqp_url
        return environment

    # -- setting up ---------------------------------------------------------------

    def _start_simulators(self) -> None:
        webhook_url = f"{self.webhooks_url}/webhooks/crm/{ORGANIZATION}"
        crm = simulators.running(
            "deploy.demo.crm",
            *("--api-key", API_KEY, "--webhook-secret", SECRET),
            *("--webhook-url", webhook_url),
            data=self._directory / "crm",
        )
        google = simulators.running(
            "deploy.demo.google", data=self._directory / "google"
        )
        self.crm = self._stack.enter_context(crm)
        self.google = self._stack.enter_context(google)
        callback = f"{self.url}/api/calendar-sync/callback"
        self.google.order("clients", **CLIENT, redirect_uris=[callback])
        for person in PEOPLE:
            self._settle_in(person)

    def _settle_in(self, person: Person) -> None:
        """Give somebody a Google account, and a place in the CRM."""
        self.google.order("accounts", address=person.account)
        self.crm.order(
            "users",
            id=person.id,
            email=person.email,
            name=person.id.title(),
            time_zone="Europe/Berlin",
        )

    def create_organization(self) -> None:
        """Create the organization, and a token to call the API with."""
        self.command(
            *("org", "create", ORGANIZATION, "--crm-url", f"{self.crm.url}/api/v1"),
            *("--crm-api-key", API_KEY, "--crm-webhook-secret", SECRET),
        )
        self.token = self.command(
            "token", "create", "--org", ORGANIZATION, "--role", "admin"
        )

    def assert_ready(self) -> None:
        """Assert that the receiver takes requests."""
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=5)
        except requests.ConnectionError as error:
            raise AssertionError("the receiver is not up") from error
        assert answer.ok, answer.text

    def connect(self, person: Person) -> None:
        """Connect somebody, who gives consent, and wait for the first sync."""
        self.consent(person)
        eventually(lambda: self._assert_synced(person))

    def join(self, person: Person) -> None:
        """Let somebody come to the CRM later than the others, and connect."""
        self._settle_in(person)
        self.api("POST", "/crm/check")
        eventually(lambda: self.consent(person))
        eventually(lambda: self._assert_synced(person))

    def newcomer(self, name: str) -> Person:
        """Let somebody of this name join, and return them."""
        address = f"{name}@example.com"
        person = Person(id=name, email=address, account=address)
        self.join(person)
        return person

    def consent(self, person: Person) -> None:
        """Connect somebody, whose first sync has only begun then."""
        asked = self.api("POST", "/connections", {"crm_user_id": person.id})
        answer = self.google.order(
            "consent",
            authorization_url=asked["authorization_url"],
            account=person.account,
        )
        page = requests.get(answer["redirect_to"], timeout=30)
        assert page.ok, page.text

    def _assert_synced(self, person: Person) -> None:
        connection = self.connection(person)
        jobs = self.api("GET", f"/jobs?connection_id={connection['id']}")["items"]
        states = [job["state"] for job in jobs]
        assert "succeeded" in states, states

    def connection(self, person: Person) -> dict[str, Any]:
        """Return somebody's connection."""
        rows = self.api("GET", "/connections")["items"]
        (found,) = [row for row in rows if row["crm_user_id"] == person.id]
        return dict(found)

    def api(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Call the product's API as an admin."""
        try:
            answer = requests.request(
                method,
                f"{self.url}/api/calendar-sync{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=30,
            )
        except requests.ConnectionError as error:
            raise AssertionError("the receiver is not up") from error
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def settings(self, **changes: object) -> None:
        """Change the organization's settings."""
        self.api("PUT", "/settings", changes)

    # -- what people do -----------------------------------------------------------

    def crm_call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Call the CRM's API."""
        headers = {"Authorization": f"Bearer {API_KEY}"}
        if method == "POST":
            headers["Idempotency-Key"] = os.urandom(8).hex()
        answer = requests.request(
            method,
            f"{self.crm.url}/api/v1{path}",
            json=body,
            headers=headers,
            timeout=30,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def google_call(
        self,
        person: Person,
        method: str,
        path: str = "",
        body: object = None,
        **query: str,
    ) -> Any:  # noqa: ANN401 - JSON
        """Call the Calendar API on somebody's primary calendar."""
        answer = requests.request(
            method,
            f"{self.google.url}/calendar/v3/calendars/primary/events{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer demo-{person.account}"},
            timeout=30,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def tasks(self, title: str = "") -> Sequence[dict[str, Any]]:
        """Return the tasks with this title, all if none is given."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.crm_call("GET", f"/tasks?limit=500{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return [task for task in found if title in {"", task["title"]}]
            cursor = f"&cursor={page['next_cursor']}"

    def events(self, person: Person, title: str = "") -> Sequence[dict[str, Any]]:
        """Return somebody's events with this title, all if none is given."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {"maxResults": "2500"}
        while True:
            page = self.google_call(person, "GET", **query)
            found += page.get("items", [])
            if "nextPageToken" not in page:
                return [e for e in found if title in {"", e.get("summary", "")}]
            query["pageToken"] = page["nextPageToken"]

    def task(self, title: str) -> dict[str, Any]:
        """Return the one task with this title."""
        found = self.tasks(title)
        assert len(found) == 1, [task["title"] for task in self.tasks()]
        return found[0]

    def event(self, person: Person, title: str) -> dict[str, Any]:
        """Return the one event of somebody with this title."""
        found = self.events(person, title)
        assert len(found) == 1, [e.get("summary") for e in self.events(person)]
        return found[0]

    # -- what the simulators saw --------------------------------------------------

    def mark(self) -> "Mark":
        """Return this moment, after which requests can be counted."""
        return Mark(self)

    def assert_quiet(self) -> None:
        """Assert that all queues are empty."""
        queues = self.api("GET", "/health")["queues"]
        assert not any(queues.values()), queues


class Mark:
    """A moment; tells what the product asked of the simulators since then."""

    def __init__(self, system: System) -> None:
        """Begin now."""
        self._system = system
        self._google = _last_id(system.google)
        self._crm = _last_id(system.crm)

    def writes(self) -> list[str]:
        """Return what changed something on either side."""
        google = [each for each in self.google() if each not in _READS]
        return google + [each for each in self.crm() if not each.startswith("GET ")]

    def google(self) -> list[str]:
        """Return the operations asked of Google."""
        return [row["operation"] for row in self.google_rows()]

    def google_rows(self) -> list[dict[str, Any]]:
        """Return the requests at Google, without those of people."""
        rows = self._system.google.ask("requests", since_id=str(self._google))
        ours = CLIENT["client_id"]
        return [row for row in rows["requests"] if row["client"] == ours]

    def crm(self) -> list[str]:
        """Return the requests at the CRM that changed something or read a task."""
        rows = self._system.crm.ask("requests", since_id=str(self._crm))
        return [f"{r['method']} {r['path']}" for r in rows["requests"]]


_READS = frozenset(
    {"events.list", "events.get", "events.instances", "calendarList.list"}
)


def _last_id(simulator: simulators.Simulator) -> int:
    rows = simulator.ask("requests")["requests"]
    return max((row["id"] for row in rows), default=0)


_COMMAND = (sys.executable, "-m", "deploy.cli")
