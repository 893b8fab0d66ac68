"""Programs of Debian that check the deployment files, and one that serves them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.errors import MissingServiceError

_PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec/docker/cli-plugins"
"""Where Debian puts some of them, which not everybody has in PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A command, and the package that it comes in."""

    command: str
    package: str

    def find(self) -> Path | None:
        """Return the command, or None where it is not installed."""
        path = f"{os.environ.get('PATH', '')}:{_PLACES}"
        found = shutil.which(self.command, path=path)
        return Path(found) if found else None

    def path(self) -> Path:
        """Return the command; raises `MissingServiceError` without it."""
        found = self.find()
        if found is None:
            raise MissingServiceError(
                f"{self.command} is missing; on Debian: apt-get install {self.package}"
            )
        return found


CADDY = Tool(command="caddy", package="caddy")
COMPOSE = Tool(command="docker-compose", package="docker-compose")
NGINX = Tool(command="nginx", package="nginx")
PROMTOOL = Tool(command="promtool", package="prometheus")
SYSTEMD = Tool(command="systemd-analyze", package="systemd")
ALL = (CADDY, COMPOSE, NGINX, PROMTOOL, SYSTEMD)

PACKAGES = " ".join(tool.package for tool in ALL)


def find() -> Path | None:
    """Return where the tools are, or None when one of them is missing."""
    found = [tool.find() for tool in ALL]
    return found[0] if all(found) else None


def given() -> dict[str, str]:
    """Return no variable: they are looked for in PATH."""
    return {}


@contextmanager
def running(_directory: Path) -> Iterator[dict[str, str]]:
    """Yield no variable: tests start them themselves."""
    yield {}
