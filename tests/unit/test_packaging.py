"""What an installed package has in it."""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "webhook_receiver",
    "workers",
    "shared",
    "deploy/cli",
    "deploy/demo",
    "deploy/migrations",
)


def test_files_beside_the_code_are_part_of_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["*"].split()

    packaged = {pattern.removeprefix("**/*") for pattern in patterns}

    assert {path.suffix for path in files_beside_the_code()} <= packaged


def files_beside_the_code() -> list[Path]:
    found = [path for name in PACKAGES for path in (ROOT / name).rglob("*.*")]
    return [p for p in found if p.is_file() and p.suffix not in {".py", ".pyc"}]


def test_every_folder_of_code_is_a_package() -> None:
    # setuptools leaves out those that are none, and all below them.
    folders = {path.parent for name in PACKAGES for path in (ROOT / name).rglob("*.py")}

    assert [f for f in folders if not (f / "__init__.py").exists()] == []
