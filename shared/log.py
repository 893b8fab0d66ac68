"""Structured logs: past-tense sentences with the context of the work in hand.

Context is bound per message (`bound`) and appears on every line logged meanwhile. Never
bind or log bodies, tokens, addresses or the text of meetings.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from shared.domain import errors

_OURS = ("deploy", "shared", "webhook_receiver", "workers")

_FROM_OUR_CODE = (errors.SyncError, AttributeError, ImportError, NameError, TypeError)
"""What errors of other kinds say may quote a meeting or a token."""

_context: ContextVar[dict[str, object] | None] = ContextVar("context", default=None)


@contextmanager
def bound(**context: object) -> Iterator[None]:
    """Add `context` to every line that this thread logs inside the block.

    What is None is left out.
    """
    known = {name: value for name, value in context.items() if value is not None}
    token = _context.set({**(_context.get() or {}), **known})
    try:
        yield
    finally:
        _context.reset(token)


class _Discreet(logging.Formatter):
    """Tells where something broke, and of its text only what is from our own code."""

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - logging's
        return "\n".join(_traceback(ei[1]))


def _traceback(error: BaseException | None) -> Iterator[str]:
    if error is None:
        return
    before = error.__cause__ or (
        None if error.__suppress_context__ else error.__context__
    )
    if before is not None:
        yield from _traceback(before)
        yield "which led to:"
    yield from "".join(traceback.format_tb(error.__traceback__)).splitlines()
    kind = type(error).__qualname__
    yield f"{kind}: {error}" if isinstance(error, _FROM_OUR_CODE) else kind


class _Text(_Discreet):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        context = _context.get() or {}
        return " ".join([line, *(f"{k}={v}" for k, v in context.items())])


class _Json(_Discreet):
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


def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]


def configure(level: str, form: Literal["text", "json"] | None) -> None:
    """Log to standard error: as text on a terminal, else as JSON, unless told.

    What libraries say below a warning is not heard at any level.
    """
    handler = logging.StreamHandler(sys.stderr)
    chosen = form or ("text" if sys.stderr.isatty() else "json")
    text = _Text("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(_Json() if chosen == "json" else text)
    # Libraries narrate every request at INFO, and at DEBUG with its tokens and texts.
    logging.basicConfig(
        level=max(logging.WARNING, _level(level)), handlers=[handler], force=True
    )
    for package in _OURS:
        logging.getLogger(package).setLevel(_level(level))
    # It logs seven lines for a connection refused, and then raises the same.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
