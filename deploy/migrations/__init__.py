"""The schema and its history, applied by Alembic (`calendar-sync migrate`).

A revision must leave a schema that the previous release goes on working with: during an
upgrade both run. Tests hold the revisions against `METADATA`.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from shared.adapters import broker_local
from shared.adapters.store import faults, tables

METADATA = [tables.Base.metadata, broker_local.metadata]
"""The tables as the code has them."""

_LOCK = 5_204_113
"""Any number: the advisory lock that lets one process migrate at a time."""


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema; several processes may call at once.

    Raises `RemoteUnavailableError` when the database cannot be used.
    """
    with faults.mapped(), engine.begin() as connection:
        # On SQLite, beginning as a writer is lock enough.
        if connection.dialect.name == "postgresql":
            lock = text("SELECT pg_advisory_xact_lock(:key)")
            connection.execute(lock, {"key": _LOCK})
        if not _is_current(connection):
            command.upgrade(config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Tell whether the database has the schema that this release works with.

    That of a later release, which we do not know, is one. Raises
    `RemoteUnavailableError` when the database cannot be used.
    """
    with faults.mapped(), engine.connect() as connection:
        return _is_current(connection)


def config(connection: Connection | None) -> Config:
    """Return what Alembic's commands take, those that read a database a connection."""
    found = Config()
    # In an ini file, a percent sign begins a reference.
    folder = str(Path(__file__).parent).replace("%", "%%")
    found.set_main_option("script_location", folder)
    found.attributes["connection"] = connection
    return found


def _is_current(connection: Connection) -> bool:
    present = set(MigrationContext.configure(connection).get_current_heads())
    known = ScriptDirectory.from_config(config(None))
    ours = {revision.revision for revision in known.walk_revisions()}
    return bool(present) and (present == set(known.get_heads()) or not present <= ours)
