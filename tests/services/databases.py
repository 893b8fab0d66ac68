"""A database for each test, so that tests share a server and nothing else."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from tests.services import addresses
from tests.services.errors import MissingServiceError


@contextmanager
def database() -> Iterator[str]:
    """Yield the address of an empty database; it is dropped after the block.

    Raises `MissingServiceError` when there is no PostgreSQL.
    """
    server = addresses.needed(addresses.DATABASE_URL)
    name = f"calendar_sync_tests_{secrets.token_hex(6)}"
    _run(server, "CREATE DATABASE {}", name)
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _run(server, "DROP DATABASE {} WITH (FORCE)", name)


def _run(server: str, statement: str, name: str) -> None:
    try:
        with closing(psycopg2.connect(server)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg2.Error as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"PostgreSQL gives the tests no database of their own: {reason}"
        raise MissingServiceError(message) from error
