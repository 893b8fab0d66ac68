"""Reads the deployment files, for the tests that hold them against the product."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from deploy.cli import entry

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "container" / "Dockerfile"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
CADDYFILE = DEPLOY / "compose" / "Caddyfile"
KUBERNETES = DEPLOY / "kubernetes"
NGINX = DEPLOY / "nginx" / "calendar-sync.conf"
SYSTEMD = DEPLOY / "systemd"

COMMAND = "/opt/calendar-sync/.venv/bin/calendar-sync"
"""What systemd's units run."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A service of systemd."""

    name: str
    command: Sequence[str]
    """Without the program; `%i` stands for the instance."""
    settings: Mapping[str, str]


def units() -> Mapping[str, Unit]:
    """Return the services by name, without `calendar-sync-` and `.service`."""
    found = {}
    for path in SYSTEMD.glob("*.service"):
        settings = assignments(path.read_text())
        program, *command = settings["ExecStart"].split()
        assert program == COMMAND
        name = path.stem.removeprefix("calendar-sync-")
        found[name] = Unit(name=name, command=command, settings=settings)
    return found


def assignments(text: str) -> Mapping[str, str]:
    """Return the `NAME=VALUE` lines of a file; of several, the last of a name."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value for name, _, value in pairs}


def compose() -> Document:
    """Return the compose file; what the environment gives is still to be filled in."""
    found: Document = yaml.safe_load(COMPOSE.read_text())
    return found


def processes() -> Mapping[str, Document]:
    """Return those of the compose file's services that are ours."""
    services = compose()["services"].items()
    return {name: one for name, one in services if "build" in one}


def kustomization(name: str) -> Document:
    """Return what a folder's kustomization says."""
    path = KUBERNETES / name / "kustomization.yaml"
    found: Document = yaml.safe_load(path.read_text())
    return found


def manifests() -> Sequence[Document]:
    """Return all objects of Kubernetes."""
    paths = [KUBERNETES / "base" / p for p in kustomization("base")["resources"]]
    return [d for path in paths for d in yaml.safe_load_all(path.read_text())]


def of_kind(kind: str) -> dict[str, Document]:
    """Return the objects of a kind by name."""
    found = [one for one in manifests() if one["kind"] == kind]
    return {one["metadata"]["name"]: one for one in found}


def pods() -> Mapping[str, Document]:
    """Return what the pods of Kubernetes are, by the name of their owner."""
    owners = of_kind("Deployment") | of_kind("Job")
    return {
        name.removeprefix("calendar-sync-"): one["spec"]["template"]["spec"]
        for name, one in owners.items()
    }


def containers() -> Mapping[str, Document]:
    """Return the only container of each pod."""
    found = {}
    for name, pod in pods().items():
        (found[name],) = pod["containers"]
    return found


def command_lines() -> Iterator[tuple[str, Sequence[str]]]:
    """Yield every command line of the product, and the file it is in."""
    for unit in units().values():
        instance = unit.settings.get("DefaultInstance", "")
        yield "systemd", [word.replace("%i", instance) for word in unit.command]
    for service in processes().values():
        yield "compose", service["command"]
    for container in containers().values():
        yield "kubernetes", container["args"]


def parsed(line: Sequence[str]) -> click.Context:
    """Return what a command reads off its line; raises what it refuses."""
    name, *arguments = line
    parent = click.Context(entry.main)
    command = entry.main.get_command(parent, name)
    assert command is not None, name
    return command.make_context(name, arguments, parent=parent)
