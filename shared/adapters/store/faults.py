"""What the database raises, in terms of what the worker does next."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from shared.domain import errors

_UNIQUE_VIOLATION = "23505"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


@contextmanager
def mapped() -> Iterator[None]:
    """Raise the database's errors as ours.

    `RecordBusyError`: another worker stored the same record meanwhile.
    `RemoteUnavailableError`: the database cannot be reached, or gave up waiting.
    Others are mistakes in this program and pass as they are.
    """
    try:
        yield
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
        message = f"another worker was faster ({_first_line(error)})"
        raise errors.RecordBusyError(message) from error
    except (OperationalError, InterfaceError) as error:
        message = f"the database cannot be used ({_first_line(error)})"
        raise errors.RemoteUnavailableError(message) from error


def _is_duplicate(error: IntegrityError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode in {
            sqlite3.SQLITE_CONSTRAINT_UNIQUE,
            sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        }
    return getattr(error.orig, "pgcode", None) == _UNIQUE_VIOLATION


def _first_line(error: DBAPIError) -> str:
    # PostgreSQL puts values into the lines that follow.
    return str(error.orig).strip().partition("\n")[0]
