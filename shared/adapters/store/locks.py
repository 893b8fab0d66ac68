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

    def try_lock(self, *keys: str) -> AbstractContextManager[bool]:
        """Hold all of these in the block, or yield False: somebody else has one."""
        ...


class ProcessLocks:
    """Locks between the threads of one process."""

    def __init__(self) -> None:
        """Begin with all locks free."""
        self._mutex = threading.Lock()
        self._held: set[str] = set()

    @contextmanager
    def try_lock(self, *keys: str) -> Iterator[bool]:
        """Hold all locks in the block, or yield False."""
        wanted = set(keys)
        with self._mutex:
            are_free = self._held.isdisjoint(wanted)
            if are_free:
                self._held |= wanted
        try:
            yield are_free
        finally:
            if are_free:
                with self._mutex:
                    self._held -= wanted


_TAKE = text(
    "SELECT pg_try_advisory_lock(number)"
    " FROM unnest(CAST(:numbers AS bigint[])) AS number"
)
_RELEASE_ALL = text("SELECT pg_advisory_unlock_all()")


class AdvisoryLocks:
    """PostgreSQL's session locks; those of a killed process end with it.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, engine: Engine) -> None:
        """Take an engine in autocommit mode; who holds locks occupies a connection."""
        self._engine = engine

    @contextmanager
    def try_lock(self, *keys: str) -> Iterator[bool]:
        """Hold all locks in the block, or yield False."""
        numbers = {"numbers": [_number(key) for key in keys]}
        with self._engine.connect() as connection:
            are_free = all(connection.scalars(_TAKE, numbers).all())
            if not are_free:
                _release_all(connection)
            try:
                yield are_free
            finally:
                if are_free:
                    _release_all(connection)


def _release_all(connection: Connection) -> None:
    try:
        connection.execute(_RELEASE_ALL)
    except DBAPIError:
        # The locks end with their connection, and the work under them is done.
        connection.invalidate()


def _number(key: str) -> int:
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
