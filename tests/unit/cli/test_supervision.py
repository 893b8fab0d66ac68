"""Keeping processes running and leaving none behind."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.cli.supervision import MisusedError, Program, Supervisor

PATIENCE_SECONDS = 20
ROOT = Path(__file__).parents[3]
IGNORES_TERM = "trap '' TERM; echo $$ >> {file}; while :; do sleep 0.1; done"
TETHER = ROOT / "deploy" / "cli" / "tether.py"
RUNS = "echo $$ >> {file}; exec sleep 60"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """Return a supervisor that has little patience."""
    with Supervisor(grace_seconds=0.5) as made:
        yield made


def program(script: str, file: Path, name: str = "child") -> Program:
    """Return a shell script as a program; its process ids are collected in a file."""
    command = ["/bin/sh", "-c", script.format(file=file)]
    return Program(name=name, command=command, environment=dict(os.environ))


def pids(file: Path) -> list[int]:
    """Return the process ids that the scripts wrote down."""
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not just waiting to be buried."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Return the condition, which fails when it takes too long to hold."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def holds() -> bool:
        assert time.monotonic() < deadline, "it took too long"
        return condition()

    return holds


def test_a_program_that_dies_is_started_again_and_that_is_told(
    supervisor: Supervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "pids"
    supervisor.start(program(RUNS, file))
    supervisor.look_after(until(lambda: len(pids(file)) == 1))

    os.kill(pids(file)[0], signal.SIGKILL)
    supervisor.look_after(until(lambda: len(pids(file)) == 2))

    first, second = pids(file)
    assert (is_running(first), is_running(second)) == (False, True)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "Lost child (SIGKILL); starting it again in 0.5 s"


def test_pauses_grow_while_a_program_does_not_live(
    supervisor: Supervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.start(program("exit 3", tmp_path / "pids"))

    supervisor.look_after(until(lambda: len(caplog.records) == 3))

    assert [record.getMessage() for record in caplog.records] == [
        f"Lost child (exit code 3); starting it again in {pause} s"
        for pause in ("0.5", "1", "2")
    ]


def test_wrong_usage_is_not_tried_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(program("exit 2", tmp_path / "pids"))

    with pytest.raises(MisusedError):
        supervisor.look_after(until(lambda: False))


def test_stopping_asks_first(supervisor: Supervisor, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    script = "trap 'echo 0 >> {file}; exit' TERM; echo $$ >> {file}; "
    script += "while :; do sleep 0.05; done"
    supervisor.start(program(script, file))
    supervisor.look_after(until(lambda: len(pids(file)) == 1))

    supervisor.stop()

    pid, cleaned_up = pids(file)
    assert cleaned_up == 0
    assert not is_running(pid)


def test_what_does_not_stop_is_killed(
    supervisor: Supervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "pids"
    supervisor.start(program(IGNORES_TERM, file))
    supervisor.look_after(until(lambda: len(pids(file)) == 1))

    supervisor.stop()

    assert not is_running(pids(file)[0])
    assert "Killed child" in caplog.text


def test_children_of_a_program_end_with_it(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    file = tmp_path / "pids"
    supervisor.start(program("sleep 60 & echo $! >> {file}; wait", file))
    supervisor.look_after(until(lambda: len(pids(file)) == 1))

    supervisor.stop()

    wait(lambda: not is_running(pids(file)[0]))


def test_some_can_be_stopped_before_the_others(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    supervisor.start(program(RUNS, first, "first"))
    supervisor.start(program(RUNS, second, "second"))
    supervisor.look_after(until(lambda: bool(pids(first) and pids(second))))

    supervisor.stop("first")

    assert not is_running(pids(first)[0])
    assert is_running(pids(second)[0])


def test_a_program_is_ready_when_it_says_so(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    script = "import os, pathlib, time; from deploy.cli import notices\n"
    script += "while not pathlib.Path(os.environ['GO']).exists(): time.sleep(0.02)\n"
    script += "notices.ready(); time.sleep(60)"
    environment = {**os.environ, "GO": str(said), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    supervisor.start(Program(name="child", command=command, environment=environment))
    before = supervisor.are_ready("child")

    said.touch()
    supervisor.look_after(until(lambda: supervisor.are_ready("child")))

    assert not before
    assert supervisor.are_ready("child")


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    script = (
        "import os; from deploy.cli.supervision import *\n"
        f"script = {RUNS.format(file=file)!r}\n"
        "with Supervisor() as supervisor:\n"
        "    supervisor.start(Program(name='child', environment=dict(os.environ),\n"
        "                             command=['/bin/sh', '-c', script]))\n"
        "    supervisor.look_after(lambda: False)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) as process:  # noqa: S603 - our own
        wait(lambda: len(pids(file)) == 1)

        process.kill()

    wait(lambda: not is_running(pids(file)[0]))


def test_a_program_whose_parent_died_at_once_does_not_begin(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    not_its_parent = "1"

    code = subprocess.call(  # noqa: S603 - our own
        [sys.executable, TETHER, not_its_parent, "/bin/sh", "-c", f"touch {file}"]
    )

    assert code == 1
    assert not file.exists()


def wait(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    holds = until(condition)
    while not holds():
        time.sleep(0.02)
