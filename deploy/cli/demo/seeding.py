"""Runs the program that fills the simulators and connects the users."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from deploy.cli import tether
from deploy.cli.demo.home import User
from shared.domain import errors

Wait = Callable[[Callable[[], bool]], None]
"""Returns when a condition holds, looking after everything else meanwhile."""


class SeedingError(errors.SyncError):
    """The seeding did not succeed."""


def run(command: Sequence[str], told: Mapping[str, str], wait: Wait) -> list[User]:
    """Run one step, told by JSON on standard input; return the users.

    Raises `SeedingError` after a step that failed, which has said why.
    """
    with _started(command, json.dumps(told)) as process:
        wait(lambda: process.poll() is not None)
        output = process.stdout.read() if process.stdout else ""
        if process.returncode != 0:
            message = f"the demo could not be set up: {command[-1]} did not succeed"
            raise SeedingError(message)
        users: list[User] = json.loads(output)
        return users


@contextlib.contextmanager
def _started(command: Sequence[str], told: str) -> Iterator["subprocess.Popen[str]"]:
    tie = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*tie, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for us alone.
        process_group=0,
    )
    with process:
        try:
            if process.stdin is not None:
                # One that ended already has said why.
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(told)
                    process.stdin.close()
            yield process
        finally:
            process.kill()
