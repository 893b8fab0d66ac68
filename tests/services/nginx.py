"""A private nginx in a directory of its own."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services import tools
from tests.services.processes import Server, accepts

_START_SECONDS = 10


def written(directory: Path, sites: str) -> Path:
    """Write a whole configuration around some sites; return its file."""
    file = directory / "nginx.conf"
    # As root it would change to a user who cannot get into this directory.
    user = "user root;\n" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in kinds)
    file.write_text(
        f"{user}daemon off;\npid {directory}/nginx.pid;\n"
        f"error_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{\n{folders}access_log off;\n{sites}}}\n"
    )
    return file


def command(file: Path) -> Sequence[str | Path]:
    """Return what starts nginx on a configuration; raises `MissingServiceError`."""
    folder = file.parent
    early = folder / "error.log"
    return [tools.NGINX.path(), "-p", folder, "-e", early, "-c", file]


@contextmanager
def running(directory: Path, sites: str, *, port: int) -> Iterator[None]:
    """Serve some sites, one of them on `port`, while the block runs.

    Raises `MissingServiceError` where nginx is not installed or does not start.
    """
    server = Server(
        command(written(directory, sites)),
        output=directory / "output",
        environment={},
    )
    try:
        server.wait_until(lambda: accepts(port), name="nginx", seconds=_START_SECONDS)
        yield
    finally:
        server.kill()
