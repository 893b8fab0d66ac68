"""A process of its own that uses a store: `python -m tests.store_process WHAT URL`."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.adapters import crypto
from shared.adapters.store import Store
from tests import store_rows

_ROOT = Path(__file__).parent.parent


class Process:
    """Runs this module; killed at the end of the block."""

    def __init__(self, what: str, url: str) -> None:
        """Start it."""
        self._running = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "tests.store_process", what, url],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Wait for the next line it prints and return it."""
        assert self._running.stdout is not None
        return self._running.stdout.readline().strip()

    def lines(self) -> list[str]:
        """Wait for its end and return what it printed; it must have succeeded."""
        output, _ = self._running.communicate(timeout=30)
        assert self._running.returncode == 0
        return output.splitlines()

    def kill(self) -> None:
        """End it as a crash would."""
        self._running.send_signal(signal.SIGKILL)
        self._running.communicate(timeout=30)

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it if it still runs."""
        if self._running.poll() is None:
            self.kill()


def _hold_lock(store: Store) -> None:
    with store.try_lock("link:1") as held:
        _say(f"held {held}")
        sys.stdin.read()


def _fork(store: Store) -> None:
    """Use the store before and after a fork, on both sides of it."""
    with store.begin() as work:
        store_rows.add_organization(work, "acme")
        work.commit()
    child = os.fork()
    with store.begin() as work:
        if child == 0:
            store_rows.add_organization(work, "beta")
            work.commit()
    if child == 0:
        _say("child added beta")
        return
    os.waitpid(child, 0)
    with store.begin() as work:
        names = [row.name for row in work.organizations.all()]
    _say(" ".join(["parent sees", *names]))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(what: str, url: str) -> None:
    """Do what is asked for."""
    store = Store(url, keys=crypto.Keys([store_rows.KEY]))
    {"hold-lock": _hold_lock, "fork": _fork}[what](store)


if __name__ == "__main__":
    main(*sys.argv[1:])
