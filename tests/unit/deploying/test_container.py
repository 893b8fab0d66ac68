"""The image, as far as it can be checked without building it."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from tests import deployment

KEPT_OUT = [".git", ".venv", "var", "tests", ".env"]


def kept_in() -> set[str]:
    """Return what .dockerignore lets through of the top level."""
    lines = (deployment.ROOT / ".dockerignore").read_text().splitlines()
    return {line.strip("!/") for line in lines if line.startswith("!")}


def test_the_dockerfile_has_no_lint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run(  # noqa: S603 - a tool of ours
        [hadolint, deployment.DOCKERFILE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_everything_that_the_package_is_made_of_is_there() -> None:
    setup = configparser.ConfigParser()
    setup.read(deployment.ROOT / "setup.cfg")
    packages = setup["options.packages.find"]["include"].split()
    readme = setup["metadata"]["long_description"].removeprefix("file: ")

    needed = {name.rstrip("*") for name in packages} | {
        "setup.cfg",
        "pyproject.toml",
        "requirements.lock",
        setup["metadata"]["license_files"],
        readme,
    }

    assert kept_in() == needed


@pytest.mark.parametrize("name", KEPT_OUT)
def test_what_is_no_part_of_the_package_stays_out(name: str) -> None:
    first, *_ = (
        line
        for line in (deployment.ROOT / ".dockerignore").read_text().splitlines()
        if not line.startswith("#")
    )

    assert first == "*"
    assert name not in kept_in()


def test_containers_of_compose_may_do_no_more_than_they_must() -> None:
    for name, service in deployment.processes().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"] == ["/tmp"], name  # noqa: S108 - of a container


def test_compose_migrates_before_anything_of_the_release_starts() -> None:
    done = {"condition": "service_completed_successfully"}

    for name, service in deployment.processes().items():
        if name != "migrate":
            assert service["depends_on"] == {"migrate": done}, name
