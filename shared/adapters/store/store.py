"""The entry to the database: engines, units of work, record locks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from shared.adapters.store import engines, faults, locks, sealed, tables
from shared.adapters.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What one process has open."""

    engine: Engine
    reader: Engine
    lock_engine: Engine | None
    locks: locks.Locks

    def close(self) -> None:
        self.engine.dispose()
        self.reader.dispose()
        if self.lock_engine is not None:
            self.lock_engine.dispose()


class Store:
    """The database behind all processes; safe to use from any thread.

    Connects on first use, and anew in a forked process. All methods raise
    `RemoteUnavailableError` when the database cannot be used.
    """

    def __init__(self, url: str, *, keys: sealed.Cipher) -> None:
        """Take `DATABASE_URL` and the keys that encrypt the secrets in it."""
        self._url = engines.parse_url(url)
        self._keys = keys
        self._opened: dict[int, _Opened] = {}

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work; what is not committed in it is rolled back.

        On SQLite one writes at a time and the others wait: keep blocks short, and no
        requests to others inside. Raises `RecordBusyError` when another worker stored
        the same record meanwhile.
        """
        with faults.mapped(), Session(self.engine, expire_on_commit=False) as session:
            yield UnitOfWork(session)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a unit of work that cannot write; waits for no writer on SQLite."""
        with faults.mapped(), Session(self.reader, expire_on_commit=False) as session:
            yield UnitOfWork(session)

    @contextmanager
    def try_lock(self, *keys: str) -> Iterator[bool]:
        """Hold the record locks of these names inside the block; never waits.

        Yields False, and holds none, when somebody else holds one of them. A process
        that dies lets go. On SQLite the locks hold inside this process only.
        """
        with faults.mapped(), self._here().locks.try_lock(*keys) as held:
            yield held

    def ping(self) -> None:
        """Return if the database answers."""
        with faults.mapped(), self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def rotate_secrets(self) -> int:
        """Encrypt with the first key what other keys did; return how many those were.

        In small transactions: an interrupted call is finished by the next one.
        """
        with faults.mapped():
            return sealed.rotate(self.engine, tables.Base.metadata.sorted_tables)

    def survey_secrets(self) -> sealed.Survey:
        """Tell which keys the stored secrets need."""
        with faults.mapped():
            return sealed.survey(self.reader, tables.Base.metadata.sorted_tables)

    def close(self) -> None:
        """Close the connections of this process; the store opens anew when used."""
        opened = self._opened.pop(os.getpid(), None)
        if opened is not None:
            opened.close()

    def beside(self, url: str) -> "Store":
        """Return a store at another address, with the same keys."""
        return Store(url, keys=self._keys)

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        return self._here().engine

    @property
    def reader(self) -> Engine:
        """The engine of this process for what only reads."""
        return self._here().reader

    def _here(self) -> _Opened:
        pid = os.getpid()
        opened = self._opened.get(pid)
        # Connections must not be shared with a parent process. `setdefault` is atomic:
        # of threads that come here at once, all go on with the same locks.
        return opened or self._opened.setdefault(pid, self._open())

    def _open(self) -> _Opened:
        engine = engines.open_engine(self._url, self._keys)
        reader = engines.open_reader(self._url, engine, self._keys)
        if engines.is_sqlite(self._url):
            held: locks.Locks = locks.ProcessLocks()
            lock_engine = None
        else:
            lock_engine = engines.open_lock_engine(self._url)
            held = locks.AdvisoryLocks(lock_engine)
        return _Opened(
            engine=engine, reader=reader, lock_engine=lock_engine, locks=held
        )
