"""A lock on a file that one process holds until it ends, however it ends."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from shared.domain import errors


@contextlib.contextmanager
def held(path: Path, problem: str) -> Iterator[None]:
    """Hold the lock in the block.

    Raises `ConfigurationError` with the problem and who holds it when somebody does.
    """
    # The file stays: removing it could take a lock away from under its next holder.
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            message = f"{problem} (process {holder})"
            raise errors.ConfigurationError([message]) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
