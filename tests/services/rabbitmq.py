"""A private RabbitMQ node: its own directory, ports, Erlang cookie and name server."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import requests

from shared.adapters.broker_rabbitmq import connecting
from shared.domain import errors
from tests.services import addresses
from tests.services.errors import MissingServiceError
from tests.services.processes import Server, accepts, free_ports

NAME = "RabbitMQ"
_START_SECONDS = 90

# Debian's command in PATH is a wrapper that changes the user and drops the environment.
_SCRIPTS = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def find() -> Path | None:
    """Return the command that starts a node, or None if RabbitMQ is not installed."""
    if _SCRIPTS.exists():
        return _SCRIPTS
    path = f"{os.environ.get('PATH', '')}:{_SBIN}"
    found = shutil.which("rabbitmq-server", path=path)
    return Path(found) if found else None


class Place:
    """What the nodes of a cluster have in common: name server, cookie, and login."""

    def __init__(self, directory: Path) -> None:
        """Take a directory; raises `MissingServiceError` without RabbitMQ."""
        command = find()
        if command is None:
            message = "RabbitMQ is not installed; on Debian: apt-get install"
            raise MissingServiceError(f"{message} rabbitmq-server")
        self.command = command
        self.login = f"tests:{secrets.token_hex(8)}"
        self._directory = directory
        (self._epmd_port,) = free_ports(1)
        self._names: Server | None = None

    def open(self) -> None:
        """Start the name server, unless it runs."""
        if self._names is not None:
            return
        cookie = self._directory / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(10))
        cookie.chmod(0o400)
        # Left to itself, a node starts this daemon and leaves it behind.
        self._names = Server(
            ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"],
            output=self._directory / "names",
            environment=self.environment(),
        )
        self._names.wait_until(
            lambda: accepts(self._epmd_port), name="epmd", seconds=_START_SECONDS
        )

    def close(self) -> None:
        """Stop the name server."""
        if self._names is not None:
            self._names.kill()

    def environment(self) -> dict[str, str]:
        """Return what tells Erlang's programs where they are."""
        return {
            "PATH": f"{os.environ.get('PATH', '')}:{_SBIN}",
            "HOME": str(self._directory),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }


class Node:
    """A node that runs inside the block; `restart` crashes it and starts it again."""

    def __init__(self, directory: Path, place: Place | None = None) -> None:
        """Take an empty directory, and of a cluster's node its place.

        Raises `MissingServiceError` without RabbitMQ.
        """
        self.settings = ""
        """Lines of its configuration beyond what every node of the tests has."""
        self.advanced = "[]."
        """What has no line there, as a term of Erlang."""
        self._directory = directory
        self._place = place or Place(directory)
        self._has_own_place = place is None
        self._port, self._api_port, self._dist_port = free_ports(3)
        self._server: Server | None = None

    @property
    def name(self) -> str:
        """What other nodes call it."""
        return f"tests-{self._port}@localhost"

    @property
    def url(self) -> str:
        """The address of its only virtual host."""
        return f"amqp://{self._place.login}@127.0.0.1:{self._port}/"

    @property
    def api(self) -> str:
        """The root of its management API."""
        return f"http://{self._place.login}@127.0.0.1:{self._api_port}/api"

    def start(self) -> None:
        """Start it on what it has stored, and return once it takes connections."""
        self._place.open()
        self._server = Server(
            [self._place.command],
            output=self._directory / "output",
            environment=self._environment(),
        )
        self._server.wait_until(self.is_up, name=NAME, seconds=_START_SECONDS)

    def kill(self) -> None:
        """End it as a crash would; it keeps what it has stored."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def restart(self) -> None:
        """Let it crash and come back."""
        self.kill()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it do nothing while the block runs, and say so to nobody."""
        if self._server is not None:
            self._server.freeze()
        try:
            yield
        finally:
            if self._server is not None:
                self._server.thaw()

    def is_up(self) -> bool:
        """Tell whether it takes connections."""
        return is_up(self.url, self.api)

    def evaluate(self, expression: str) -> str:
        """Let it evaluate some Erlang; return what came out."""
        done = subprocess.run(  # noqa: S603 - our own node
            [self._place.command.with_name("rabbitmqctl"), "eval", expression],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=_START_SECONDS,
        )
        return done.stdout.strip()

    def __enter__(self) -> Self:
        """Write its configuration and start it."""
        self._configure()
        try:
            self.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._stop()

    def _stop(self) -> None:
        self.kill()
        if self._has_own_place:
            self._place.close()

    def _configure(self) -> None:
        (self._directory / "conf.d").mkdir()
        (self._directory / "rabbitmq-env.conf").touch()
        (self._directory / "plugins").write_text("[rabbitmq_management].\n")
        user, _, password = self._place.login.partition(":")
        (self._directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._port}\n"
            f"management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self._api_port}\n"
            f"management_agent.disable_metrics_collector = true\n"
            f"default_user = {user}\n"
            f"default_pass = {password}\n"
            f"{self.settings}"
        )
        (self._directory / "advanced.config").write_text(f"{self.advanced}\n")

    def _environment(self) -> dict[str, str]:
        home = self._directory
        return {
            **self._place.environment(),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            # The machine's own settings must not apply.
            "RABBITMQ_CONFIG_FILES": str(home / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }


@contextmanager
def running(directory: Path) -> Iterator[dict[str, str]]:
    """Run a node in the block; yield the variables that tell where it is."""
    with Node(directory) as node:
        yield {addresses.AMQP_URL: node.url, addresses.RABBITMQ_API: node.api}


def given() -> dict[str, str]:
    """Return the variables for a server that somebody else runs, or none at all.

    Its management API is looked for on the usual port unless a variable says where it
    is. Raises `MissingServiceError` for a server that cannot be used.
    """
    url = addresses.found(addresses.AMQP_URL, "AMQP_URL")
    if url is None:
        return {}
    if not _connects(url):
        message = "the RabbitMQ that AMQP_URL names cannot be used"
        raise MissingServiceError(message)
    api = addresses.found(addresses.RABBITMQ_API) or _usual_api(url)
    known = {addresses.AMQP_URL: url}
    return {**known, addresses.RABBITMQ_API: api} if _answers(api) else known


def is_up(url: str, api: str) -> bool:
    """Tell whether clients can connect and the management API answers."""
    return _answers(api) and _connects(url)


def _answers(api: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{api}/vhosts", timeout=5).ok
    return False


def _connects(url: str) -> bool:
    with suppress(errors.SyncError), connecting.connected(url, "tests"):
        return True
    return False


def _usual_api(url: str) -> str:
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0] or "guest:guest"
    return f"http://{login}@{parts.hostname or 'localhost'}:15672/api"
