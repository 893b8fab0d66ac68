"""Ties a process to the life of the one that started it.

`python tether.py PARENT COMMAND [ARGUMENT ...]` runs a command that gets SIGTERM when
its parent dies, even of SIGKILL (prctl(2), PR_SET_PDEATHSIG); imports nothing of ours.
Linux alone can do that: on other systems a killed parent leaves it running.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie() -> None:
    """Let this process get SIGTERM when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> None:
    """Become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    tie()
    if os.getppid() != parent:  # it died meanwhile
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - what the supervisor was given


if __name__ == "__main__":
    main()
