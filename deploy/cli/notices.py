"""Tells whoever started this process that it is ready (systemd's sd_notify protocol).

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import contextlib
import os
import socket

VARIABLE = "NOTIFY_SOCKET"
READY = b"READY=1"


def ready() -> None:
    """Say that this process is ready, if somebody wants to know."""
    address = os.environ.get(VARIABLE)
    if not address:
        return
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        # An @ stands for the zero byte of an abstract name.
        sender.connect("\0" + address[1:] if address.startswith("@") else address)
        sender.send(READY)
