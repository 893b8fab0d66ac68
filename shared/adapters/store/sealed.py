"""Columns that hold secrets: plain in the rows, encrypted in the database.

All that a column type gets to know of the session that uses it is the dialect, and each
engine has a dialect of its own: so the keys of a store travel with it.
"""

import json
from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Table,
    Text,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_ATTRIBUTE = "calendar_sync_cipher"


class Cipher(Protocol):
    """What encrypts and decrypts; `shared.adapters.crypto.Keys` does.

    `decrypt` and `rotate` raise `ConfigurationError` when no key fits.
    """

    def encrypt(self, text: str) -> str:
        """Return the text encrypted."""
        ...

    def decrypt(self, token: str) -> str:
        """Return the text that was encrypted."""
        ...

    def rotate(self, token: str) -> str:
        """Return the same text, encrypted as `encrypt` would do it now."""
        ...


def give_cipher(engine: Engine, cipher: Cipher) -> None:
    """Let the sealed columns of this engine use this cipher."""
    setattr(engine.dialect, _ATTRIBUTE, cipher)


def _cipher(dialect: Dialect) -> Cipher:
    cipher: Cipher = getattr(dialect, _ATTRIBUTE)
    return cipher


class Encrypted(TypeDecorator[str]):
    """A secret text. Equal texts differ in the database: no comparing in queries."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt."""
        return None if value is None else _cipher(dialect).encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt; raises `ConfigurationError` when no key fits."""
        return None if value is None else _cipher(dialect).decrypt(value)


class EncryptedJSON(TypeDecorator[list[str]]):
    """A list of secret texts; assign a new list to change it."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: list[str] | None, dialect: Dialect
    ) -> str | None:
        """Encrypt the list as a whole."""
        return None if value is None else _cipher(dialect).encrypt(json.dumps(value))

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> list[str] | None:
        """Decrypt; raises `ConfigurationError` when no key fits."""
        if value is None:
            return None
        texts: list[str] = json.loads(_cipher(dialect).decrypt(value))
        return texts


def rotate(connection: Connection, tables: Iterable[Table]) -> int:
    """Encrypt all secrets in these tables anew; return how many there are."""
    sealed = [
        column
        for table in tables
        for column in table.columns
        if isinstance(column.type, Encrypted | EncryptedJSON)
    ]
    return sum(_rotate_column(connection, column) for column in sealed)


def _rotate_column(connection: Connection, column: Column[str]) -> int:
    cipher = _cipher(connection.dialect)
    stored = type_coerce(column, Text)
    tokens = connection.scalars(select(stored).where(column.is_not(None))).all()
    for token in tokens:
        # Ciphertexts are unique. One that has changed meanwhile is new anyway.
        connection.execute(
            update(column.table)
            .where(stored == token)
            .values({column.name: literal(cipher.rotate(token), Text)})
        )
    return len(tokens)
