"""How large the rows of history and links are, with their indexes.

The rows that a run has left are copied until there are many; text that is unique or
indexed is made up anew for each copy, as long as it was.
"""

from psycopg2 import sql

from tests.benchmarks.chores import cursor_of
from tests.e2e.system import System

ROWS = 20_000
_FRESH = {
    "links": ("task_id", "ical_uid", "event_id"),
    "copies": ("event_id", "ical_uid"),
    "jobs": (),
    "job_items": ("delivery_id", "task_id", "event_id"),
}


def bytes_per_row(system: System) -> dict[str, float]:
    """Return how large a row of each table is, on average; nothing dead is counted."""
    return {table: _bytes(system, table) for table in _FRESH}


def _bytes(system: System, table: str) -> float:
    name = sql.Identifier(table)
    with cursor_of(system) as cursor:

        def told(statement: str) -> int:
            cursor.execute(sql.SQL(statement).format(table=name))
            (found,) = cursor.fetchone() or (0,)
            return int(found)

        had = told("SELECT count(*) FROM {table}")
        cursor.execute(sql.SQL("VACUUM FULL {}").format(name))
        size = told("SELECT pg_total_relation_size('{table}')")
        cursor.execute(_copies(table), {"times": -(-ROWS // had)})
        added = told("SELECT count(*) FROM {table}") - had
        grown = told("SELECT pg_total_relation_size('{table}')") - size
        return grown / added


def _copies(table: str) -> sql.Composed:
    """Return what inserts each row so many times, with what must differ made up."""
    fresh = [
        sql.SQL("{key}, left(repeat(md5(random()::text), 9), length({column}))").format(
            key=sql.Literal(column), column=sql.Identifier(column)
        )
        for column in _FRESH[table]
    ]
    # Without `number` in it, the record would be made up once for all its copies.
    number = sql.SQL(
        "'number', number, 'id', nextval(pg_get_serial_sequence({}, 'id'))"
    ).format(sql.Literal(table))
    return sql.SQL(
        "INSERT INTO {table} SELECT made.*"
        " FROM {table}, generate_series(1, %(times)s) AS number,"
        " LATERAL jsonb_populate_record(NULL::{table},"
        " to_jsonb({table}) || jsonb_build_object({fresh})) AS made"
    ).format(
        table=sql.Identifier(table),
        fresh=sql.SQL(", ").join([number, *fresh]),
    )
