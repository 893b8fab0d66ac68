"""Structured logs: past-tense sentences with the context of the work in hand.

Context is bound per message (`bound`) and appears on every line logged meanwhile. Never
bind or log bodies, tokens, addresses or the text of meetings.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

_context: ContextVar[dict[str, object] | None] = ContextVar("context", default=None)


@contextmanager
def bound(**context: object) -> Iterator[None]:
    """Add `context` to every line that this thread logs inside the block."""
    token = _context.set({**(_context.get() or {}), **context})
    try:
        yield
    finally:
        _context.reset(token)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        context = _context.get() or {}
        return " ".join([line, *(f"{k}={v}" for k, v in context.items())])


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_context.get() or {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str, form: Literal["text", "json"] | None) -> None:
    """Log to standard error: as text on a terminal, else as JSON, unless told."""
    handler = logging.StreamHandler(sys.stderr)
    chosen = form or ("text" if sys.stderr.isatty() else "json")
    text = _Text("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(_Json() if chosen == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # These narrate every request at INFO; we log what we did with them.
    for name in (
        "alembic",
        "google_auth_httplib2",
        "googleapiclient",
        "gunicorn.access",
        "urllib3",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs seven lines for a connection refused, and then raises the same.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
