"""Server processes: started in a private directory, stopped with all their children."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.services.errors import MissingServiceError

_LOOK_SECONDS = 0.05
_PORTS_TO_CHOOSE = range(20_000, 32_000)


class Server:
    """A running server; what it prints goes to `output`."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        output: Path,
        environment: Mapping[str, str],
        user: str | None = None,
    ) -> None:
        """Start it, in a process group of its own so that Ctrl-C does not reach it."""
        self._output = output
        with output.open("ab") as stream:
            self._running = subprocess.Popen(  # noqa: S603 - servers that we chose
                list(command),
                cwd=output.parent,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )

    def wait_until(self, is_up: Callable[[], bool], *, name: str, seconds: int) -> None:
        """Return once it is up; raises `MissingServiceError` with its last line."""
        deadline = time.monotonic() + seconds
        while not is_up():
            if self._running.poll() is not None or time.monotonic() > deadline:
                self.kill()
                last = last_line(self._output.read_text(errors="replace"))
                message = f"{name} did not start within {seconds} s: {last}"
                raise MissingServiceError(message)
            time.sleep(_LOOK_SECONDS)

    def freeze(self) -> None:
        """Let it and its children do nothing until they thaw."""
        os.killpg(self._running.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        os.killpg(self._running.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it and its children as a crash would; all they hold is for tests only."""
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface on which nobody listens."""
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(free_row(1))
    return list(chosen)


def free_row(count: int) -> int:
    """Return the first of so many ports in a row on which nobody listens.

    They are below those that the system hands out, one of which may be taken any time:
    by whoever connects to a server while this one is down, too.
    """
    while True:
        first = random.choice(_PORTS_TO_CHOOSE)  # noqa: S311 - no secret
        if not any(accepts(first + offset) for offset in range(count)):
            return first


def accepts(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
