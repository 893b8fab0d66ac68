"""Where the OAuth server keeps clients, consents, codes and tokens: an SQLite file.

Every write is committed before its answer is sent, so the state survives SIGKILL.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS clients (
    client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL,
    redirect_uris TEXT NOT NULL, name TEXT NOT NULL, refusal TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS consents (
    account TEXT NOT NULL, project TEXT NOT NULL, scopes TEXT NOT NULL,
    PRIMARY KEY (account, project));
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, account TEXT NOT NULL, client_id TEXT NOT NULL,
    project TEXT NOT NULL, redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL,
    nonce TEXT NOT NULL, challenge TEXT NOT NULL, challenge_method TEXT NOT NULL,
    offline INTEGER NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL, client_id TEXT NOT NULL, project TEXT NOT NULL,
    scopes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT PRIMARY KEY, account TEXT NOT NULL, client_id TEXT NOT NULL,
    project TEXT NOT NULL, scopes TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS refresh_by_owner ON refresh_tokens (account, client_id);
CREATE INDEX IF NOT EXISTS access_by_owner ON access_tokens (account, project);
CREATE TABLE IF NOT EXISTS signing_keys (pem TEXT NOT NULL);
"""
# The tables that hold what an account granted to a project.
GRANTED = ("consents", "codes", "access_tokens", "refresh_tokens")


class Store:
    """One connection, shared by the server's threads one statement at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file; without a path everything stays in memory."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _SCHEMA
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for a block that is applied as a whole or not at all."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """Return the first row that a query finds."""
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
        return row

    def forget_grants(self) -> None:
        """Drop every consent, code and token; the registered clients stay."""
        with self.transaction() as connection:
            for table in GRANTED:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
