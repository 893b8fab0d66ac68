"""Indexes to find what is old, and ids that are not given to others once it is gone."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OLD = {
    "jobs": "finished_at",
    "conflicts": "resolved_at",
    "dead_letters": "created_at",
}
_COUNTED_ON = ("connections", "calendars", "jobs", "conflicts")
"""SQLite would give the id of the last row that was deleted to the next new one."""


def upgrade() -> None:
    """Add the indexes, and have SQLite count on."""
    if op.get_bind().dialect.name == "sqlite":
        # A table is dropped and made again: what refers to it is checked at the end.
        op.execute("PRAGMA defer_foreign_keys=ON")
        for name in _COUNTED_ON:
            _count_on(name)
    for index, table, column in _indexes():
        op.create_index(index, table, [column])


def downgrade() -> None:
    """Drop the indexes; that SQLite counts on disturbs nobody."""
    for index, table, _ in _indexes():
        op.drop_index(index, table)


def _indexes() -> Iterator[tuple[str, str, str]]:
    for table, column in _OLD.items():
        yield f"ix_{table}_{column}", table, column


def _count_on(name: str) -> None:
    """Make a table again as it is, with ids that are never used twice.

    Not by renaming another one, as Alembic does it: what refers to the rows is only
    satisfied by rows that come into a table of this name.
    """
    bind = op.get_bind()
    table = sa.Table(name, sa.MetaData(), autoload_with=bind)
    table.dialect_options["sqlite"]["autoincrement"] = True
    op.execute(f"CREATE TABLE former AS SELECT * FROM {name}")  # noqa: S608 - our names
    op.execute(f"DROP TABLE {name}")
    table.create(bind)
    op.execute(f"INSERT INTO {name} SELECT * FROM former")  # noqa: S608 - our names
    op.execute("DROP TABLE former")
