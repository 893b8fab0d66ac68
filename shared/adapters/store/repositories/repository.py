"""What the repositories have in common."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    ScalarResult,
    Select,
    delete,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.adapters.store.tables import Base

Row = TypeVar("Row", bound=Base)
Found = TypeVar("Found")
Key = int | str | tuple[int, str]
"""A primary key."""

_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """A page of rows; `next_cursor` asks for the one after, None at the end."""

    rows: Sequence[Row]
    next_cursor: str | None


def of(
    column: ColumnElement[int] | InstrumentedAttribute[int],
    organization_id: int | None,
) -> ColumnElement[bool]:
    """Return the condition that a row is an organization's; of None, any row is."""
    return true() if organization_id is None else column == organization_id


class Repository(Generic[Row]):
    """Queries on one table.

    What each change asks for is stated once, in a constant with the names of its
    values: to state it anew costs more than to ask.
    """

    table: type[Row]

    def __init__(self, session: Session) -> None:
        """Take the session of the unit of work."""
        self._session = session
        # A session forgets a row that nobody holds, and would ask for it again.
        self._held: list[Row] = []

    def by_id(self, key: Key | None) -> Row:
        """Return the row with this primary key; raises `LookupError` if none has."""
        return self._there(self.get(key), key)

    def get(self, key: Key | None) -> Row | None:
        """Return the row with this primary key, or None.

        It is read once in a unit of work.
        """
        row = None if key is None else self._session.get(self.table, key)
        if row is not None:
            self._held.append(row)
        return row

    def _there(self, found: Found | None, key: Key | None) -> Found:
        if found is None:
            message = f"{self.table.__tablename__} has no row {key}"
            raise LookupError(message)
        return found

    def add(self, row: Row) -> Row:
        """Store a new row and return it."""
        self._session.add(row)
        self._session.flush()
        return row

    def _one(self, query: Select[Row], **values: object) -> Row | None:
        return self._session.scalars(query, values).one_or_none()

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(self.table).where(*conditions)
        return self._session.execute(query).scalar_one()

    def _first(self, query: Select[Row]) -> Row | None:
        return self._session.scalars(query.limit(1)).first()

    def _all(self, query: Select[Row]) -> Sequence[Row]:
        return self._session.scalars(query).all()

    def _changed(self, statement: Executable, **values: object) -> int:
        """Run an UPDATE or DELETE and return how many rows it met."""
        result = self._session.execute(statement, values)
        return result.rowcount if isinstance(result, CursorResult) else 0

    def _forget(self, ids: Select[int], *, limit: int) -> int:
        """Delete the first rows with one of these ids; return how many there were."""
        key: Any = self.table.__table__.c.id
        some = delete(self.table).where(key.in_(ids.limit(limit)))
        return self._changed(some.execution_options(synchronize_session=False))

    def _locked(self, key: Key) -> Row:
        """Return a row as it is now; others wait to change it until we are done.

        Raises `LookupError` if there is none.
        """
        row = self._session.get(
            self.table, key, with_for_update=True, populate_existing=True
        )
        return self._there(row, key)

    def _upsert(self, values: Mapping[str, Any], *, key: Sequence[str]) -> Row:
        """Insert a row, or give the one with this unique key these values."""
        return self._stored([values], key=key).one()

    def _upsert_unless_older(
        self, values: Mapping[str, Any], *, key: Sequence[str], by: str
    ) -> Row | None:
        """Upsert, but keep a row whose column `by` is later: then return None."""
        return self._stored([values], key=key, by=by).one_or_none()

    def _stored(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        key: Sequence[str],
        by: str | None = None,
    ) -> ScalarResult[Row]:
        """Upsert rows of the same columns, in this order, with one statement."""
        dialect = self._session.get_bind().dialect.name
        columns = tuple(sorted(rows[0]))
        statement = _upsert(self.table, dialect, columns, tuple(key), by)
        return self._session.scalars(
            statement, rows, execution_options={"populate_existing": True}
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


@functools.cache
def _upsert(
    table: type[Base],
    dialect: str,
    columns: Sequence[str],
    key: Sequence[str],
    by: str | None,
) -> Any:  # noqa: ANN401 - dialects differ
    """Return the statement for rows of these columns, which is costly to make."""
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(table)
    old: Any = table.__table__.c
    new = statement.excluded
    # A row that nothing else is told of is locked all the same.
    changed = [name for name in columns if name not in key] or key
    is_newer = None
    if by is not None:
        is_newer = or_(old[by].is_(None), new[by].is_(None), old[by] <= new[by])
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={name: new[name] for name in changed},
        where=is_newer,
    ).returning(table)


def _last_id(cursor: str) -> int:
    number = int(cursor) if cursor.isascii() and cursor.isdecimal() else 0
    if not 0 < number <= _LARGEST_ID:
        message = "cursor: must be the next_cursor of the page before"
        raise ValueError(message)
    return number
