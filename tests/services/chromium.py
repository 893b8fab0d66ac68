"""The browser of the e2e tests."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import addresses
from tests.services.errors import MissingServiceError

PACKAGES = "chromium libatomic1"
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> Path | None:
    """Return the browser that is installed and can be driven, or None."""
    found = next(filter(None, map(shutil.which, _COMMANDS)), None)
    return Path(found) if found and _can_be_driven() else None


def _can_be_driven() -> bool:
    # Playwright's own program needs a library that a small Debian does not have.
    command = [sys.executable, "-m", "playwright", "--version"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - ours
    return done.returncode == 0


def given() -> dict[str, str]:
    """Return the variable if it is set, or none at all."""
    path = addresses.found(addresses.CHROMIUM)
    return {addresses.CHROMIUM: path} if path else {}


@contextmanager
def running(_directory: Path) -> Iterator[dict[str, str]]:
    """Yield the variable that tells where the browser is; tests start it themselves."""
    yield {addresses.CHROMIUM: str(path())}


def path() -> Path:
    """Return the browser; raises `MissingServiceError` without one."""
    found = addresses.found(addresses.CHROMIUM)
    chosen = Path(found) if found else find()
    if chosen is None:
        message = f"no Chromium can be used; on Debian: apt-get install {PACKAGES}"
        raise MissingServiceError(message)
    return chosen
