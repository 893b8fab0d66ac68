"""Keeps a number of processes running, and leaves none behind.

Knows nothing of the rest of the product, so that the demo can use it too. A process
says that it is ready as it would to systemd (`notices`).
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy.cli import notices, tether

log = logging.getLogger(__name__)

MISUSED = 2
"""The exit code of a command whose usage or configuration is wrong."""

GRACE_SECONDS = 25.0
_LOOK_SECONDS = 0.05
_LONGEST_PAUSE = 30.0
_SETTLED_SECONDS = 60.0
"""A process that ran this long is started again without much ado when it dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command to keep running, under a name for the logs."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    output: IO[str] | int | None = None


class MisusedError(Exception):
    """A program ended at once because of wrong usage or configuration, and said so."""


class Supervisor:
    """Starts programs, starts them again when they die, and stops all in the end.

    To be used from one thread: what it starts is tied to the life of that thread.
    """

    def __init__(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Take how long a program may take to stop before it is killed."""
        self._grace_seconds = grace_seconds
        self._running: dict[str, _Running] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="calendar-sync-")

    def __enter__(self) -> Self:
        """Return the supervisor."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what still runs."""
        self.stop()
        self._folder.cleanup()

    def start(self, program: Program) -> None:
        """Start a program and keep it running."""
        self._running[program.name] = _Running(program, Path(self._folder.name))

    def look_after(self, until: Callable[[], bool]) -> None:
        """Start again what dies, until the condition holds; raises `MisusedError`."""
        while not until():
            for running in self._running.values():
                running.look()
            time.sleep(_LOOK_SECONDS)

    def are_ready(self, *names: str) -> bool:
        """Tell whether these programs have said that they are ready."""
        return all(self._running[name].is_ready() for name in names)

    def stop(self, *names: str) -> None:
        """Stop these programs, or all; kill what has not ended in time."""
        ending = [
            running
            for name, running in list(self._running.items())
            if not names or name in names
        ]
        for running in ending:
            running.ask_to_stop()
        until = time.monotonic() + self._grace_seconds
        for running in ending:
            running.end(until)
            del self._running[running.program.name]


class _Running:
    """One program, over all the processes that it takes."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self._ready = False
        self._deaths = 0
        self._next_start = 0.0
        self._address = str(folder / program.name)
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(self._address)
        self._notices.settimeout(0)
        self._process = self._start()

    def look(self) -> None:
        """Start the program again if it died and the pause is over."""
        if self._next_start:
            if time.monotonic() >= self._next_start:
                self._next_start = 0.0
                self._process = self._start()
            return
        code = self._process.poll()
        if code is not None:
            self._bury(code)

    def is_ready(self) -> bool:
        """Tell whether it has ever said so."""
        with contextlib.suppress(BlockingIOError):
            while not self._ready:
                self._ready = notices.READY in self._notices.recv(1024).splitlines()
        return self._ready

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process.poll() is None:
            self._process.terminate()

    def end(self, until: float) -> None:
        """Wait for the end; kill what is left of it then."""
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("Killed %s because it did not stop", self.program.name)
        self._kill_group()
        self._process.wait()
        self._notices.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        self._started_at = time.monotonic()
        tie = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
        return subprocess.Popen(  # noqa: S603 - what the caller wants to run
            [*tie, *self.program.command],
            env={**self.program.environment, notices.VARIABLE: self._address},
            stdin=subprocess.DEVNULL,
            stdout=self.program.output,
            # Ctrl-C is for us alone, and what it leaves behind can be found.
            process_group=0,
        )

    def _bury(self, code: int) -> None:
        self._kill_group()
        lived = time.monotonic() - self._started_at
        self._deaths = 1 if lived > _SETTLED_SECONDS else self._deaths + 1
        if code == MISUSED and self._deaths == 1 and lived <= _SETTLED_SECONDS:
            raise MisusedError(self.program.name)
        pause = min(0.5 * 2 ** (self._deaths - 1), _LONGEST_PAUSE)
        self._next_start = time.monotonic() + pause
        name, how = self.program.name, _how_it_ended(code)
        log.warning("Lost %s (%s); starting it again in %g s", name, how, pause)

    def _kill_group(self) -> None:
        """Kill what a process left behind, so that its port and files are free."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _how_it_ended(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
