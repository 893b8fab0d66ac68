"""A private PostgreSQL server in a directory of its own."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from tests.services import addresses
from tests.services.errors import MissingServiceError
from tests.services.processes import Server, free_ports, last_line

NAME = "PostgreSQL"
_START_SECONDS = 60

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    # Nothing in it outlives the run, not even a crash of the machine.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def find() -> Path | None:
    """Return the folder of the newest server's programs, or None."""
    # Debian keeps them out of PATH, one folder for each major version.
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = [str(path) for path in folders] or [shutil.which("initdb") or ""]
    newest = max(
        found, key=lambda path: [int(x) for x in path.split("/") if x.isdigit()]
    )
    return Path(newest).parent if newest else None


@contextmanager
def running(directory: Path) -> Iterator[dict[str, str]]:
    """Run a server in the block; yield the variable that tells where it is."""
    programs = find()
    if programs is None:
        message = "PostgreSQL is not installed; on Debian: apt-get install postgresql"
        raise MissingServiceError(message)
    user = _server_user()
    if user:
        shutil.chown(directory, user)
    password = secrets.token_hex(8)
    _initialise(programs, directory, user, password)
    [port] = free_ports(1)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
    server = Server(
        [
            programs / "postgres",
            "-D",
            directory / "tables",
            f"-cport={port}",
            *settings,
        ],
        output=directory / "output",
        environment=_environment(),
        user=user,
    )
    try:
        server.wait_until(lambda: is_up(url), name=NAME, seconds=_START_SECONDS)
        yield {addresses.DATABASE_URL: url}
    finally:
        server.kill()


def given() -> dict[str, str]:
    """Return the variable for a server that somebody else runs, or none at all.

    Raises `MissingServiceError` for a server that cannot be used.
    """
    url = addresses.found(addresses.DATABASE_URL, "DATABASE_URL") or ""
    driver, _, rest = url.partition("://")
    if driver.partition("+")[0] != "postgresql":
        return {}
    # psycopg2 itself knows no driver names.
    plain = f"postgresql://{rest}"
    if not is_up(plain):
        message = "the PostgreSQL that DATABASE_URL names cannot be used"
        raise MissingServiceError(message)
    return {addresses.DATABASE_URL: plain}


def is_up(url: str) -> bool:
    """Tell whether clients can connect."""
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(url, connect_timeout=5).close()
        return True
    return False


def _server_user() -> str | None:
    """Return whom the server runs as, because it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}


def _initialise(
    programs: Path, directory: Path, user: str | None, password: str
) -> None:
    secret = directory / "password"
    secret.write_text(password)
    done = subprocess.run(  # noqa: S603 - a program that we chose
        [
            programs / "initdb",
            *("-D", directory / "tables"),
            *("-U", "postgres"),
            *("--auth=scram-sha-256", f"--pwfile={secret}"),
            *("--encoding=UTF8", "--no-sync"),
        ],
        env=_environment(),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    if done.returncode != 0:
        message = f"PostgreSQL's initdb failed: {last_line(done.stderr)}"
        raise MissingServiceError(message)


def dump(url: str, file: Path) -> None:
    """Write a backup of a database, as an operator does."""
    _run_program("pg_dump", "--format=custom", f"--file={file}", url)


def restore(url: str, file: Path) -> None:
    """Put a backup in the place of a database, which need not be there any more."""
    options = ["--clean", "--if-exists", "--create", "--exit-on-error"]
    _run_program("pg_restore", *options, f"--dbname={_beside(url)}", file)


def lose(url: str) -> None:
    """Leave an empty database where one was."""
    name = urlsplit(url).path.removeprefix("/")
    server = f"--maintenance-db={_beside(url)}"
    _run_program("dropdb", "--force", server, name)
    _run_program("createdb", server, name)


def _beside(url: str) -> str:
    """Return the address of the server's own database."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def _run_program(name: str, *arguments: str | Path) -> None:
    programs = find()
    assert programs is not None
    done = subprocess.run(  # noqa: S603 - a program that we chose
        [programs / name, *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
