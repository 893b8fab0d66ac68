"""Installing what is missing with Debian's packages."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.errors import MissingServiceError
from tests.services.processes import last_line

_POLICY = Path("/usr/sbin/policy-rc.d")


def can_install() -> bool:
    """Tell whether this is Debian or a child of it, and we may change it."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install packages and start none of the services in them.

    Raises `MissingServiceError` with the last line that apt-get said.
    """
    with _no_service_starts():
        # Where this fails, the package lists that are there may still do.
        _apt_get("update")
        done = _apt_get("install", "--yes", "--no-install-recommends", *packages)
    if done.returncode != 0:
        message = f"apt-get install failed: {last_line(done.stderr)}"
        raise MissingServiceError(message)


@contextmanager
def _no_service_starts() -> Iterator[None]:
    # Asked by Debian's packages before they start a service; 101 forbids it.
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _apt_get(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - arguments are ours
        ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments],  # noqa: S607
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
