"""What commands do before they run: ports, locks, waiting, saying they are ready."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from deploy import migrations
from deploy.cli import exclusive, foundation, listening, notices, readiness
from shared.adapters.broker_local import LocalBroker
from shared.domain import errors
from tests import clocks
from tests.unit.cli.console import Console

# -- ports ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_url", "port"),
    [
        ("http://localhost:8080", 8080),
        ("http://localhost:9000", 9000),
        ("http://127.0.0.1:9000", 9000),
        ("http://[::1]:9000", 9000),
        ("http://localhost", 8080),
        ("https://localhost:9000", 8080),
        ("https://sync.example.com", 8080),
        ("https://sync.example.com:8443", 8080),
    ],
)
def test_the_port_of_an_address_here_is_the_one_to_listen_on(
    public_url: str, port: int
) -> None:
    assert listening.port_of(public_url) == port


def test_a_port_in_use_is_named_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]

        with pytest.raises(errors.ConfigurationError) as caught:
            listening.bound("127.0.0.1", port, "--port")

    assert caught.value.problems == [
        f"--port: cannot listen on 127.0.0.1:{port} (Address already in use)"
    ]


def test_of_two_that_are_bound_to_one_port_the_second_is_named_in_one_line() -> None:
    with listening.bound("127.0.0.1", 0, "--port") as first:
        port = first.getsockname()[1]
        with listening.bound("127.0.0.1", port, "METRICS_PORT") as second:
            listening.begin(first, "--port")

            with pytest.raises(errors.ConfigurationError) as caught:
                listening.begin(second, "METRICS_PORT")

    assert caught.value.problems == [
        f"METRICS_PORT: cannot listen on 127.0.0.1:{port} (Address already in use)"
    ]


def test_a_host_that_is_none_is_named_in_one_line() -> None:
    with pytest.raises(errors.ConfigurationError, match=r"--host: nowhere\.invalid"):
        listening.bound("nowhere.invalid", 0, "--port")


def test_a_port_can_be_taken_again_at_once() -> None:
    with listening.bound("127.0.0.1", 0, "--port") as first:
        first.listen()
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            first.accept()[0].close()

    with listening.bound("127.0.0.1", port, "--port") as second:
        assert second.getsockname()[1] == port


# -- locks ------------------------------------------------------------------------


def test_a_lock_is_held_by_one_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with (
        exclusive.held(path, "busy"),
        pytest.raises(errors.ConfigurationError) as caught,
        exclusive.held(path, "busy"),
    ):
        pass

    assert caught.value.problems == [f"busy (process {os.getpid()})"]


def test_a_lock_can_be_taken_after_it_was_let_go(tmp_path: Path) -> None:
    with exclusive.held(tmp_path / "lock", "busy"):
        pass

    with exclusive.held(tmp_path / "lock", "busy"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


# -- waiting ----------------------------------------------------------------------


class LateBroker(LocalBroker):
    """A broker that does not answer at first."""

    def __init__(self, *failures: errors.SyncError) -> None:
        """Take what declaring raises, one each, before it works."""
        super().__init__(self._no_engine, clocks.SystemClock())
        self._failures = list(failures)
        self.declared = 0

    def declare(self) -> None:
        """Fail, or count."""
        if self._failures:
            raise self._failures.pop(0)
        self.declared += 1

    def _no_engine(self) -> Engine:
        raise AssertionError


def test_a_broker_that_is_not_up_yet_is_waited_for_with_growing_pauses() -> None:
    broker = LateBroker(*(errors.BrokerConnectionError() for _ in range(7)))
    pauses: list[float] = []

    readiness.wait_for_queues(broker, sleep=pauses.append)

    assert broker.declared == 1
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]


def test_queues_that_differ_are_not_waited_for() -> None:
    broker = LateBroker(errors.TopologyError(["AMQP_URL: differs"]))
    pauses: list[float] = []

    with pytest.raises(errors.TopologyError):
        readiness.wait_for_queues(broker, sleep=pauses.append)

    assert pauses == []


# -- schema -----------------------------------------------------------------------


@pytest.fixture
def base(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> Iterator[foundation.Foundation]:
    """Return what commands stand on, on a database without tables."""
    for name, value in console.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{console.folder}/new.db")
    with foundation.opened() as base:
        yield base


def test_it_is_not_ready_without_the_schema(base: foundation.Foundation) -> None:
    check = readiness.SchemaCheck(base)

    with pytest.raises(readiness.OutdatedSchemaError):
        check()

    migrations.upgrade(base.store.engine)
    check()


def test_a_schema_that_was_seen_once_is_not_asked_for_again(
    base: foundation.Foundation,
) -> None:
    migrations.upgrade(base.store.engine)
    check = readiness.SchemaCheck(base)
    check()

    with base.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")

    check()


# -- notices ----------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "@"])
def test_being_ready_is_said_to_whoever_wants_to_know(
    console: Console, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    address = str(console.folder / "notices")
    monkeypatch.setenv(notices.VARIABLE, prefix + address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address if prefix else address)
        listener.settimeout(5)

        notices.ready()

        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_being_ready_needs_nobody_who_listens(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(notices.VARIABLE, address)

    notices.ready()
