"""Runs a command with the services it needs: `python -m tests.services --help`."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.services import provide
from tests.services.errors import MissingServiceError

_GIVEN = ("AMQP_URL", "DATABASE_URL")
"""What the product reads; no test may meet it by accident."""

_PATIENCE_SECONDS = 60
"""How long an interrupted command may take to end."""


_USAGE = f"""\
Usage: python -m tests.services [NAME ...] -- COMMAND ...
Runs a command with the services it needs; all by default: {" ".join(provide.SERVICES)}.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code, or 1 when a service cannot be had."""
    names, command = _parse(arguments)
    if not command:
        _say(_USAGE)
        return 2
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells of every try
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    began_at = time.monotonic()
    try:
        with provide.running(names, _say) as known:
            _say(f"Services are ready after {time.monotonic() - began_at:.0f} s")
            return _run(command, known)
    except (MissingServiceError, OSError) as error:
        _say(str(error))
        return 1
    except _InterruptedError as error:
        return 128 + error.number


class _InterruptedError(BaseException):
    """Somebody wants this to end."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def _interrupt(number: int, _frame: object) -> None:
    # Nothing more may interrupt the stopping of the services.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise _InterruptedError(number)


def _parse(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the services and the command; no command when the usage is wrong."""
    if "--" not in arguments:
        return [], []
    end = arguments.index("--")
    names, command = arguments[:end] or list(provide.SERVICES), arguments[end + 1 :]
    return (names, command) if set(names) <= provide.SERVICES.keys() else ([], [])


def _run(command: Sequence[str], known: provide.Variables) -> int:
    inherited = {k: v for k, v in os.environ.items() if k not in _GIVEN}
    process = subprocess.Popen(list(command), env={**inherited, **known})  # noqa: S603 - what the caller asked for
    try:
        code = process.wait()
    except _InterruptedError as error:
        # Ctrl-C reaches the command by itself.
        if error.number != signal.SIGINT:
            process.terminate()
        _end(process)
        raise
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
