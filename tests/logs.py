"""Leaves the loggers of a process as they were."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = ("", "pika", "deploy", "shared", "webhook_receiver", "workers")


@contextmanager
def kept() -> Iterator[None]:
    """Undo after the block what `shared.log.configure` does in it."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in _NAMES}
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
