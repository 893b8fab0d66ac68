"""Column types that behave the same on PostgreSQL and SQLite."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""None is SQL's NULL. Changes inside a stored document go unnoticed: assign anew."""

Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up only what is declared INTEGER."""

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def to_json(value: object) -> str:
    """Serialize a document; what PostgreSQL cannot store in a text is replaced.

    That is U+0000 and halves of surrogate pairs
    (https://www.postgresql.org/docs/current/datatype-json.html): a stray one in one
    event must not keep a whole page of events from being stored.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPED_NUL.sub(r"\1\\ufffd", text).encode("utf-8", "replace").decode()


class Instant(TypeDecorator[datetime]):
    """An instant: stored in UTC, returned aware, refused when naive."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the type with a zone where the database has one."""
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Store in UTC; raises `ValueError` for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "an instant needs an offset"
            raise ValueError(message)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Return in UTC."""
        if value is None:
            return None
        aware = value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value
        return aware.astimezone(UTC)
