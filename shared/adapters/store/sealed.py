"""Columns that hold secrets: plain in the rows, encrypted in the database.

All that a column type gets to know of the session that uses it is the dialect, and each
engine has a dialect of its own: so the keys of a store travel with it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Row,
    Table,
    Text,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from shared.domain import errors

_ATTRIBUTE = "calendar_sync_cipher"
_AT_ONCE = 100


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

    def encrypted_at(self, token: str) -> datetime | None:
        """Return when it was encrypted; None unless `encrypt` would use that key."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a secret is stored; `row` is the primary key."""

    table: str
    column: str
    row: str


@dataclass(slots=True, kw_only=True)
class Survey:
    """Which keys the stored secrets need."""

    values: int = 0
    behind: int = 0
    """How many need another key than the first."""
    unreadable: list[Place] = field(default_factory=list)
    """Those that no key decrypts."""
    last_encrypted: dict[str, datetime] = field(default_factory=dict)
    """When the first key was last used on a table."""

    def look_at(self, cipher: Cipher, place: Place, token: str) -> None:
        """Take a secret into account."""
        self.values += 1
        at = cipher.encrypted_at(token)
        if at is not None:
            known = self.last_encrypted.get(place.table, at)
            self.last_encrypted[place.table] = max(known, at)
        elif _rotated(cipher, token) is None:
            self.unreadable.append(place)
        else:
            self.behind += 1


def survey(engine: Engine, tables: Iterable[Table]) -> Survey:
    """Look at all secrets in these tables, and change none."""
    found = Survey()
    cipher = _cipher(engine.dialect)
    for column in _sealed(tables):
        for rows in _batches(engine, column):
            for key, token in rows:
                place = Place(table=column.table.name, column=column.name, row=str(key))
                found.look_at(cipher, place, token)
    return found


def rotate(engine: Engine, tables: Iterable[Table]) -> int:
    """Encrypt with the first key what another one encrypted; return how many.

    Each batch is a transaction: when it is interrupted, the next call does the rest.
    What no key decrypts stays as it is.
    """
    count = 0
    cipher = _cipher(engine.dialect)
    for column in _sealed(tables):
        for rows in _batches(engine, column):
            anew = [
                (key, token, text)
                for key, token in rows
                if not cipher.encrypted_at(token) and (text := _rotated(cipher, token))
            ]
            with engine.begin() as connection:
                count += sum(_replace(connection, column, *each) for each in anew)
    return count


def _sealed(tables: Iterable[Table]) -> Iterator[Column[str]]:
    for table in tables:
        for column in table.columns:
            if isinstance(column.type, Encrypted | EncryptedJSON):
                yield column


def _batches(engine: Engine, column: Column[str]) -> Iterator[Sequence[Row[Any, str]]]:
    """Yield the primary keys of a table and the ciphertexts of a column, in batches."""
    (key,) = column.table.primary_key.columns
    query = select(key, type_coerce(column, Text)).where(column.is_not(None))
    query = query.order_by(key).limit(_AT_ONCE)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    while rows:
        yield rows
        with engine.connect() as connection:
            rows = connection.execute(query.where(key > rows[-1][0])).all()


def _rotated(cipher: Cipher, token: str) -> str | None:
    try:
        return cipher.rotate(token)
    except errors.ConfigurationError:
        return None


def _replace(
    connection: Connection, column: Column[str], key: object, old: str, new: str
) -> int:
    (primary_key,) = column.table.primary_key.columns
    # Ciphertexts are unique. One that has changed meanwhile is new anyway.
    return connection.execute(
        update(column.table)
        .where(primary_key == key, type_coerce(column, Text) == old)
        .values({column.name: literal(new, Text)})
    ).rowcount
