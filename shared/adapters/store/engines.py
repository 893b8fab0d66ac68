"""How to connect to PostgreSQL and to SQLite so that many processes can."""

import select
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import tenacity
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError

from shared.adapters.store import sealed, types
from shared.domain import errors

BUSY_SECONDS = 30
"""How long a writer waits for another one on SQLite."""

READ_ONLY = {"postgresql_readonly": True}
"""Execution options of a transaction that only reads, on SQLite too."""

_OPTIONS: dict[str, Any] = {
    # Threads bound the number of connections; waiting for one could be a deadlock, and
    # opening one anew for each use costs more than keeping it.
    "pool_size": 32,
    "max_overflow": -1,
    # Values would carry tokens and the texts of meetings into tracebacks.
    "hide_parameters": True,
    "json_serializer": types.to_json,
}


def parse_url(url: str) -> URL:
    """Return a database's address; `postgresql://` means psycopg2.

    Raises `ConfigurationError` for SQLite in memory, which threads cannot share.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        # SQLAlchemy 2.1 would take psycopg 3 for the bare name.
        parsed = parsed.set(drivername="postgresql+psycopg2")
    if is_sqlite(parsed) and parsed.database in {None, "", ":memory:"}:
        problem = "DATABASE_URL: must name a file, as in sqlite:///FILE"
        raise errors.ConfigurationError([problem])
    return parsed


def is_sqlite(url: URL) -> bool:
    """Tell whether this is SQLite's."""
    return url.get_backend_name() == "sqlite"


def open_engine(url: URL, cipher: sealed.Cipher) -> Engine:
    """Return an engine whose sealed columns use the cipher; connects on first use."""
    engine = _open_sqlite(url) if is_sqlite(url) else _open_postgresql(url)
    sealed.give_cipher(engine, cipher)
    return engine


def open_reader(url: URL, engine: Engine, cipher: sealed.Cipher) -> Engine:
    """Return an engine for what only reads, beside the one that writes.

    On PostgreSQL its statements stand alone, without the round trips that begin and end
    a transaction: under READ COMMITTED each sees a state of its own anyway.
    """
    if is_sqlite(url):
        return engine.execution_options(**READ_ONLY)
    reader = _open_postgresql(url, isolation_level="AUTOCOMMIT")
    event.listen(reader, "connect", _forbid_writing)
    sealed.give_cipher(reader, cipher)
    return reader


def open_lock_engine(url: URL) -> Engine:
    """Return an engine for PostgreSQL's locks, with a pool and no transactions.

    A thread holds its lock while it opens units of work. Were both from one pool, all
    threads together could hold locks and wait for ever for a second connection.
    """
    return _open_postgresql(url, isolation_level="AUTOCOMMIT")


def _open_postgresql(url: URL, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's
    patient = url.set(query={"connect_timeout": "10", **url.query})
    engine = create_engine(patient, **_OPTIONS, **options)
    event.listen(engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: Any, *_: object) -> None:  # noqa: ANN401 - psycopg2's
    """Have the pool connect anew where the server has hung up.

    Until we ask something, only its farewell can be there to read: this tells as much
    as a ping, and costs no round trip.
    """
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError


def _forbid_writing(connection: Any, _record: object) -> None:  # noqa: ANN401 - as above
    connection.set_session(readonly=True, autocommit=True)


def _open_sqlite(url: URL) -> Engine:
    file = Path(url.database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    # The texts of meetings in it are nobody else's business. A file that cannot be
    # made is SQLite's to report.
    with suppress(OSError):
        file.touch(mode=0o600, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **_OPTIONS)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Leave transactions to `_begin` instead of the driver.
    connection.isolation_level = None
    _enter_wal(connection)
    # In WAL mode this loses nothing when a process dies (sqlite.org/pragma.html).
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _is_busy(error: BaseException) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError)
        and error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    )


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_busy),
    stop=tenacity.stop_after_delay(BUSY_SECONDS),
    wait=tenacity.wait_random(0.005, 0.05),
    reraise=True,
)
def _enter_wal(connection: sqlite3.Connection) -> None:
    # Alone among statements, this one does not wait while another process, with the
    # same new file in hand, does the same.
    connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Connection) -> None:
    # A reader that turns writer cannot wait for its turn (SQLITE_BUSY_SNAPSHOT,
    # sqlite.org/rescode.html), so all but declared readers begin as writers.
    reads = connection.get_execution_options().get("postgresql_readonly", False)
    connection.exec_driver_sql(f"PRAGMA query_only={int(reads)}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
