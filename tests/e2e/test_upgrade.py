"""A new release takes over from the last one while changes stream through."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests import services
from tests.broker_proxy import Proxy
from tests.e2e import released
from tests.e2e.stream import Stream, assert_nothing_travels
from tests.e2e.system import PEOPLE, System, eventually
from tests.services.processes import free_ports

pytestmark = pytest.mark.timeout(300)

NEW = Path.cwd()
_STILL_SECONDS = 5.0
_PAUSE_SECONDS = 0.5
"""Between two rounds of changes."""


class Upgraded(System):
    """A system behind a load balancer, of which every process can be replaced."""

    def __init__(self, directory: Path, *, database_url: str, amqp_url: str) -> None:
        """Take where to keep files, and the services to run on."""
        super().__init__(
            directory,
            database_url=database_url,
            amqp_url=amqp_url,
            # What gets lost on the way must not come by a poll.
            safety_poll_seconds=3600,
        )
        public = self.port
        (self.port,) = free_ports(1)
        self.balancer = self._stack.enter_context(Proxy(self.port, listen=public))

    def replace_receiver(self, old: str, new: str) -> None:
        """Start one beside the other, send all new requests there, end the other."""
        (self.port,) = free_ports(1)
        self.start(new)
        eventually(self._assert_new_one_is_ready)
        self.balancer.target = self.port
        assert self.stop(old) == 0

    def replace(self, old: str, new: str) -> None:
        """Start a process beside another, and end that one once it works."""
        self.start(new)
        eventually(lambda: self._assert_runs(new))
        assert self.stop(old) == 0

    def _assert_new_one_is_ready(self) -> None:
        try:
            answer = requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
        except requests.ConnectionError as error:
            raise AssertionError("the receiver is not up") from error
        assert answer.ok, answer.text

    def _assert_runs(self, name: str) -> None:
        begun = {"work": "Working on", "periodic": "Running the timers"}
        assert begun[name.rsplit(maxsplit=1)[-1]] in self.logs(name)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Upgraded]:
    """Return a system that runs on the last release."""
    folders = [tmp_path / "release", tmp_path / "system"]
    for folder in folders:
        folder.mkdir()
    release = released.unpack(folders[0])
    with (
        services.database() as database_url,
        services.virtual_host() as amqp_url,
    ):
        system = Upgraded(folders[1], database_url=database_url, amqp_url=amqp_url)
        system.source = release
        with system:
            yield system


@contextlib.contextmanager
def flowing(system: System) -> Iterator[Stream]:
    """Let changes flow while the block runs; all must arrive, once."""
    stream, is_over = Stream(system), threading.Event()

    def flow() -> None:
        while not is_over.wait(_PAUSE_SECONDS):
            stream.round()

    with ThreadPoolExecutor(1) as pool:
        flowed = pool.submit(flow)
        try:
            yield stream
        finally:
            is_over.set()
        flowed.result()
    eventually(stream.assert_arrived, 120)
    eventually(system.assert_quiet)
    assert_nothing_travels(system, _STILL_SECONDS)
    assert not system.api("GET", "/dead-letters")["items"]


def wait_for_more(stream: Stream) -> None:
    """Return after more meetings were made, and more were edited."""
    enough = stream.made + 4 * len(PEOPLE)

    def have_come() -> None:
        assert stream.made >= enough

    eventually(have_come)


def test_every_process_is_replaced_while_changes_flow(system: Upgraded) -> None:
    old, new = system.source, NEW
    with flowing(system) as stream:
        wait_for_more(stream)
        system.source = new
        system.command("migrate")
        wait_for_more(stream)

        # The new workers read what the old receiver and the old timers queue.
        system.replace("work", "new work")
        wait_for_more(stream)

        # Going back: the old workers read what the new receiver queues.
        system.replace_receiver("serve", "new serve")
        system.source = old
        system.replace("new work", "old work")
        wait_for_more(stream)

        system.source = new
        system.replace("old work", "newer work")
        system.replace("periodic", "new periodic")
        wait_for_more(stream)

    for name in ("serve", "work", "periodic", "new serve", "new work", "old work"):
        assert " ERROR " not in system.logs(name)
