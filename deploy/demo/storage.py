"""The file behind a simulator's state: JSON documents in SQLite, written through.

Nothing is flushed to the disk on purpose: what SQLite handed to the operating system
survives a killed process, and a simulator need not survive a power cut.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object."""

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""


class Storage:
    """Documents by kind and key; the caller serialises access and commits."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; without a path everything stays in memory."""
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._connection.executescript(_SCHEMA)

    def load(self, kind: str) -> Iterator[Json]:
        """Yield the documents of a kind."""
        query = "SELECT body FROM documents WHERE kind = ? ORDER BY key"
        for (body,) in self._connection.execute(query, (kind,)):
            yield json.loads(body)

    def save(self, kind: str, key: str, document: Json) -> None:
        """Insert or replace a document."""
        self._connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)",
            (kind, key, json.dumps(document, ensure_ascii=False)),
        )

    def delete(self, kind: str, key: str) -> None:
        """Delete a document."""
        self._connection.execute(
            "DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)
        )

    def drop(self, kind: str) -> None:
        """Delete all documents of a kind."""
        self._connection.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def commit(self) -> None:
        """Make the changes since the last commit lasting."""
        self._connection.commit()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
