"""Listens as systemd does to what a process says of itself (sd_notify)."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 60


class Notices:
    """A socket for each process that is started."""

    def __init__(self, directory: Path) -> None:
        """Take where to keep the sockets."""
        self._directory = directory

    @contextmanager
    def expected(self) -> Iterator[str]:
        """Yield the address for `NOTIFY_SOCKET`; then wait until it is told READY.

        Raises `TimeoutError` when it is not.
        """
        path = self._directory / "notices"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.settimeout(_PATIENCE_SECONDS)
            listener.bind(str(path))
            try:
                yield str(path)
                while b"READY=1" not in listener.recv(1024).splitlines():
                    pass
            finally:
                path.unlink()
