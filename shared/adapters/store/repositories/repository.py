"""What the repositories have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    ScalarResult,
    Select,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.adapters.store.tables import Base

Row = TypeVar("Row", bound=Base)
Key = int | str | tuple[int, str]
"""A primary key."""

_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """A page of rows; `next_cursor` asks for the one after, None at the end."""

    rows: Sequence[Row]
    next_cursor: str | None


class Repository(Generic[Row]):
    """Queries on one table."""

    table: type[Row]

    def __init__(self, session: Session) -> None:
        """Take the session of the unit of work."""
        self._session = session

    def by_id(self, key: Key | None) -> Row:
        """Return the row with this primary key; raises `LookupError` if none has."""
        row = self.get(key)
        if row is None:
            message = f"{self.table.__tablename__} has no row {key}"
            raise LookupError(message)
        return row

    def get(self, key: Key | None) -> Row | None:
        """Return the row with this primary key, or None."""
        return None if key is None else self._session.get(self.table, key)

    def add(self, row: Row) -> Row:
        """Store a new row and return it."""
        self._session.add(row)
        self._session.flush()
        return row

    def _one(self, query: Select[Row]) -> Row | None:
        return self._session.scalars(query).one_or_none()

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(self.table).where(*conditions)
        return self._session.execute(query).scalar_one()

    def _first(self, query: Select[Row]) -> Row | None:
        return self._session.scalars(query.limit(1)).first()

    def _all(self, query: Select[Row]) -> Sequence[Row]:
        return self._session.scalars(query).all()

    def _changed(self, statement: Executable) -> int:
        """Run an UPDATE or DELETE and return how many rows it met."""
        result = self._session.execute(statement)
        return result.rowcount if isinstance(result, CursorResult) else 0

    def _locked(self, key: Key) -> Row:
        """Return a row as it is now; others wait to change it until we are done."""
        return self._session.get_one(
            self.table, key, with_for_update=True, populate_existing=True
        )

    def _upsert(self, values: dict[str, Any], *, key: Sequence[str]) -> Row:
        """Insert a row, or give the one with this unique key these values."""
        return self._stored(values, key=key, replaces=None).one()

    def _upsert_unless_older(
        self, values: dict[str, Any], *, key: Sequence[str], by: str
    ) -> Row | None:
        """Upsert, but keep a row whose column `by` is later: then return None."""

        def replaces(new: Any) -> ColumnElement[bool]:  # noqa: ANN401 - dialects differ
            old: Any = self.table.__table__.c
            unknown = or_(old[by].is_(None), new[by].is_(None))
            return or_(unknown, old[by] <= new[by])

        return self._stored(values, key=key, replaces=replaces).one_or_none()

    def _stored(
        self,
        values: dict[str, Any],
        *,
        key: Sequence[str],
        replaces: Callable[[Any], ColumnElement[bool]] | None,
    ) -> ScalarResult[Row]:
        dialect = self._session.get_bind().dialect.name
        insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
        statement = insert(self.table).values(values)
        new = statement.excluded
        changes = {name: new[name] for name in values if name not in key}
        # A row that nothing else is told of is locked all the same.
        changes = changes or {name: new[name] for name in key}
        statement = statement.on_conflict_do_update(
            index_elements=key,
            set_=changes,
            where=replaces(new) if replaces else None,
        )
        fresh = {"populate_existing": True}
        return self._session.scalars(
            statement.returning(self.table), execution_options=fresh
        )

    def _newest_first(
        self, query: Select[Row], *, limit: int, cursor: str | None
    ) -> Page[Row]:
        """Return a page by descending id; raises `ValueError` for a bad cursor."""
        key: Any = self.table.__table__.c.id
        if cursor is not None:
            query = query.where(key < _last_id(cursor))
        rows = self._all(query.order_by(key.desc()).limit(limit + 1))
        shown: Any = rows[:limit]
        more = len(rows) > limit
        return Page(rows=shown, next_cursor=str(shown[-1].id) if more else None)


def _last_id(cursor: str) -> int:
    number = int(cursor) if cursor.isascii() and cursor.isdecimal() else 0
    if not 0 < number <= _LARGEST_ID:
        message = "cursor: must be the next_cursor of the page before"
        raise ValueError(message)
    return number
