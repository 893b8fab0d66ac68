"""The deployment files, as the programs that read them see them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import deployment, tls
from tests.services import nginx, tools

SERVICES = [
    "calendar-sync-serve@8080.service",
    "calendar-sync-work@1.service",
    "calendar-sync-periodic.service",
    "calendar-sync-migrate.service",
]
EXPOSED = 15
"""In tenths, of 100; systemd calls up to 20 "OK", and half of it is the network."""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end, with nothing but this in its environment."""
    return subprocess.run(  # noqa: S603 - tools that we chose
        command,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return the units as installed, with the command where it is here."""
    folder = tmp_path / "units"
    shutil.copytree(deployment.SYSTEMD, folder)
    here = str(Path(sys.executable).with_name("calendar-sync"))
    for path in folder.glob("*.service"):
        path.write_text(path.read_text().replace(deployment.COMMAND, here))
    for name in SERVICES:
        template = name.partition("@")[0] + "@.service"
        if "@" in name:
            (folder / name).symlink_to(template)
    return folder


@pytest.mark.parametrize("name", [*SERVICES, "calendar-sync.target"])
def test_systemd_finds_no_fault_with_a_unit(units: Path, name: str) -> None:
    # What other units of this machine lack is not ours to say.
    options = ["--man=no", "--recursive-errors=no"]

    done = run(tools.SYSTEMD.path(), "verify", *options, units / name)

    assert done.returncode == 0, done.stderr
    assert "calendar-sync" not in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_shut_in_as_far_as_it_can_be(units: Path, name: str) -> None:
    options = ["--offline=yes", f"--threshold={EXPOSED}"]

    done = run(tools.SYSTEMD.path(), "security", *options, units / name)

    assert done.returncode == 0, done.stdout


def test_nginx_takes_the_site(tmp_path: Path) -> None:
    certificate = tls.issue(tmp_path)
    name = "/etc/letsencrypt/live/calendar-sync.example.com"
    site = (
        deployment.NGINX.read_text()
        .replace(f"{name}/fullchain.pem", str(certificate.certificate))
        .replace(f"{name}/privkey.pem", str(certificate.key))
        .replace("/var/log/nginx", str(tmp_path))
    )
    file = nginx.written(tmp_path, site)

    done = run(*nginx.command(file), "-t")

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_caddy_takes_the_file_and_its_form(tmp_path: Path) -> None:
    file = str(deployment.CADDYFILE)
    given = {"PUBLIC_HOST": "calendar-sync.example.com", "HOME": str(tmp_path)}
    caddy = tools.CADDY.path()

    validated = run(caddy, "validate", "--adapter=caddyfile", "--config", file, **given)
    formatted = run(caddy, "fmt", file, **given)

    assert validated.returncode == 0, validated.stderr
    assert formatted.stdout == Path(file).read_text()


def composed(
    folder: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Let compose read its file beside an `.env` with these variables."""
    shutil.copytree(deployment.COMPOSE.parent, folder)
    lines = [f"{name}={value}\n" for name, value in variables.items()]
    (folder / ".env").write_text("".join(lines))
    options = [f"--project-directory={folder}", f"--file={folder}/compose.yaml"]
    return run(tools.COMPOSE.path(), *options, "config", HOME=str(folder))


def test_compose_takes_its_file(tmp_path: Path) -> None:
    text = (deployment.COMPOSE.parent / "env.example").read_text()
    variables = deployment.assignments(text)

    done = composed(
        tmp_path / "compose", {name: value or "x" for name, value in variables.items()}
    )

    assert done.returncode == 0, done.stderr
    assert "postgresql://calendar_sync:x@postgresql/calendar_sync" in done.stdout


@pytest.mark.parametrize("name", ["PUBLIC_HOST", "POSTGRES_PASSWORD"])
def test_compose_names_the_variable_that_is_missing(tmp_path: Path, name: str) -> None:
    text = (deployment.COMPOSE.parent / "env.example").read_text()
    variables = {n: v or "x" for n, v in deployment.assignments(text).items()}

    done = composed(tmp_path / "compose", {**variables, name: ""})

    assert done.returncode != 0
    assert name in done.stderr
    assert "is missing in .env" in done.stderr
