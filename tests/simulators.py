"""The simulated Google and CRM as processes of their own, on free ports."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

_PATIENCE_SECONDS = 30


class Simulator:
    """A running simulator; `url` is its root."""

    def __init__(self, url: str) -> None:
        """Take the address that the process printed."""
        self.url = url

    def order(self, path: str, **body: object) -> Any:  # noqa: ANN401 - JSON
        """Ask something of it behind the back of its API: POST to `/_admin`."""
        answer = requests.post(f"{self.url}/_admin/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def withdraw(self, path: str) -> None:
        """Take back what was ordered of it, such as its faults."""
        requests.delete(f"{self.url}/_admin/{path}", timeout=10).raise_for_status()

    def ask(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """Read from its `/_admin`."""
        answer = requests.get(f"{self.url}/_admin/{path}", params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()


@contextlib.contextmanager
def running(module: str, *options: str, data: Path) -> Iterator[Simulator]:
    """Run `python -m module` while the block runs; its state is kept in `data`."""
    command = [sys.executable, "-m", module, "--port", "0", "--data", str(data)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, *options], stdout=subprocess.PIPE, text=True
    )
    try:
        yield Simulator(_address(process))
    finally:
        # It stops cleanly when asked to; whoever waits in vain says which did not.
        process.terminate()
        process.communicate(timeout=_PATIENCE_SECONDS)


def _address(process: subprocess.Popen[str]) -> str:
    """Return the address in the line that a simulator prints once it listens."""
    # One that hangs before it listens would hold up the read of its line.
    alarm = threading.Timer(_PATIENCE_SECONDS, process.kill)
    alarm.start()
    line = process.stdout.readline() if process.stdout else ""
    alarm.cancel()
    assert line, "the simulator did not start"
    return line.split()[-1].rstrip("/")
