"""The last release, from the history of this repository, to run beside the new one."""

import subprocess
import sys
from pathlib import Path

import pytest

RELEASED = "e12774977b1d4c360b5419668bc3d068d8e3b097"
"""The commit that was released last."""

_HERE = Path(__file__).parent


def unpack(directory: Path) -> Path:
    """Put the last release's code into a directory, and return it.

    Skips the test where there is no history, as in a source archive, or a shallow one.
    """
    archived = _git("archive", RELEASED)
    if archived.returncode != 0:
        pytest.skip(f"{RELEASED} is not in the history here (git fetch --unshallow)")
    subprocess.run(["tar", "-x"], input=archived.stdout, cwd=directory, check=True)  # noqa: S607 - wherever it is installed
    _assert_runs_itself(directory)
    return directory


def _assert_runs_itself(directory: Path) -> None:
    """Assert that what is started in the directory does not import our own code."""
    printed = subprocess.run(
        [sys.executable, "-c", "import shared, deploy; print(*shared.__path__)"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(printed.stdout.strip()) == directory / "shared"


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - arguments are ours
        ["git", "-C", _HERE.parent.parent, *arguments],  # noqa: S607 - wherever it is installed
        capture_output=True,
        check=False,
    )
