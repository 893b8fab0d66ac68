"""Record locks: advisory on PostgreSQL, inside the one worker process on SQLite."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError


class Locks(Protocol):
    """Locks by name that are taken at once or not at all."""

    def try_lock(self, key: str) -> AbstractContextManager[bool]:
        """Hold the lock in the block, or yield False because somebody else does."""
        ...


class ProcessLocks:
    """Locks between the threads of one process."""

    def __init__(self) -> None:
        """Begin with all locks free."""
        self._mutex = threading.Lock()
        self._held: set[str] = set()

    @contextmanager
    def try_lock(self, key: str) -> Iterator[bool]:
        """Hold the lock in the block, or yield False."""
        with self._mutex:
            is_free = key not in self._held
            self._held.add(key)
        try:
            yield is_free
        finally:
            if is_free:
                with self._mutex:
                    self._held.discard(key)


class AdvisoryLocks:
    """PostgreSQL's session locks; the lock of a killed process ends with it.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, engine: Engine) -> None:
        """Take an engine in autocommit mode; each lock held occupies a connection."""
        self._engine = engine

    @contextmanager
    def try_lock(self, key: str) -> Iterator[bool]:
        """Hold the lock in the block, or yield False."""
        number = {"key": _number(key)}
        with self._engine.connect() as connection:
            take = text("SELECT pg_try_advisory_lock(:key)")
            is_free = bool(connection.scalar(take, number))
            try:
                yield is_free
            finally:
                if is_free:
                    _release(connection, number)


def _release(connection: Connection, number: dict[str, int]) -> None:
    try:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), number)
    except DBAPIError:
        # The lock ends with its connection, and the work under it is done.
        connection.invalidate()


def _number(key: str) -> int:
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
