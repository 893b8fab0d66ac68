"""`calendar-sync demo` as a command; tiny programs play the parts."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from deploy.cli import notices
from deploy.cli.demo import programs
from tests.services import processes
from tests.unit.cli import cast
from tests.unit.cli.console import Console, lines


def test_a_port_in_use_ends_it_before_anything_starts(
    console: Console, tmp_path: Path
) -> None:
    port = processes.free_row(3)
    data = tmp_path / "demo"

    with socket.create_server(("127.0.0.1", port)):
        result = console.run("demo", f"--port-base={port}", f"--data={data}")

    assert result.exit_code == 2
    reason = "(Address already in use)"
    assert lines(result.stderr) == [
        f"Error: --port-base: cannot listen on 127.0.0.1:{port} {reason}"
    ]
    assert not data.exists()


def test_a_directory_of_somebody_else_ends_it(console: Console, tmp_path: Path) -> None:
    port = processes.free_row(3)
    (tmp_path / "thesis.tex").touch()

    result = console.run("demo", f"--port-base={port}", f"--data={tmp_path}", "--fresh")

    assert result.exit_code == 2
    assert len(lines(result.stderr)) == 1
    assert (tmp_path / "thesis.tex").exists()


def test_there_are_no_ports_above_the_highest(console: Console) -> None:
    result = console.run("demo", "--port-base=65534")

    assert result.exit_code == 2
    assert "--port-base" in result.stderr


class Played:
    """A console at which the demo ends as soon as it is up."""

    def __init__(self, console: Console, data: Path) -> None:
        """Take where the demo is kept."""
        self._console = console
        self._data = data
        self.port = processes.free_row(3)

    def alone(self, *options: str, **environment: str) -> Result:
        """Play the demo until it ends by itself."""
        return self._console.run(
            "demo",
            f"--port-base={self.port}",
            f"--data={self._data}",
            *options,
            **environment,
        )

    def demo(self, *options: str) -> Result:
        """Play the demo from beginning to end."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            address = str(self._data.parent / "notices")
            listener.bind(address)
            listener.settimeout(60)
            ending = threading.Thread(target=end_when_told, args=(listener,))
            ending.start()
            result = self.alone(*options, **{notices.VARIABLE: address})
            ending.join()
        return result


def end_when_told(listener: socket.socket) -> None:
    """Ask this process to stop once it says that it is ready."""
    listener.recv(100)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def played(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Played]:
    """Return a console at which tiny programs play the demo."""
    environment = dict(os.environ)
    handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    notes = tmp_path / "notes"
    monkeypatch.setattr(programs, "cast", lambda _, where: cast.serving(notes, where))
    yield Played(console, tmp_path / "demo")
    os.environ.clear()
    os.environ.update(environment)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_programs_get_one_line_and_nothing_else(played: Played) -> None:
    result = played.demo("--json")

    (line,) = lines(result.stdout)
    assert result.exit_code == 0
    assert json.loads(line)["users"] == cast.PLANTED
    assert json.loads(line)["receiver"] == f"http://127.0.0.1:{played.port}"
    assert result.stderr == ""


def test_people_are_told_how_far_it_is_and_what_to_open(played: Played) -> None:
    result = played.demo()

    assert result.exit_code == 0
    assert f"http://127.0.0.1:{played.port}/login?code=" in result.stdout
    assert [line.split()[0] for line in lines(result.stderr)] == [
        "Starting",
        "Filling",
        "Connecting",
        "Stopping",
    ]


def test_a_part_that_is_misused_ends_it_as_wrong_usage(
    played: Played, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny = cast.tiny(tmp_path / "notes")
    misused = replace(tiny, google=cast.program("google", cast.IS_MISUSED))
    monkeypatch.setattr(programs, "cast", lambda *_: misused)

    result = played.alone()

    assert result.exit_code == 2
