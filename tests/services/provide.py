"""Deciding where each service comes from, and running those that are ours to run.

In this order: the address in the environment, what is installed, Debian's package when
we may install it, a container.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services import chromium, debian, docker, postgresql, rabbitmq, tools
from tests.services.errors import MissingServiceError

Variables = dict[str, str]
Running = AbstractContextManager[Variables]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of the things that tests need, and the ways to come by it."""

    packages: str
    given: Callable[[], Variables]
    find: Callable[[], Path | None]
    running: Callable[[Path], Running]
    container: Callable[[], Running] | None = None


SERVICES = {
    "rabbitmq": Service(
        packages="rabbitmq-server",
        given=rabbitmq.given,
        find=rabbitmq.find,
        running=rabbitmq.running,
        container=docker.rabbitmq_running,
    ),
    "postgresql": Service(
        packages="postgresql",
        given=postgresql.given,
        find=postgresql.find,
        running=postgresql.running,
        container=docker.postgresql_running,
    ),
    "chromium": Service(
        packages=chromium.PACKAGES,
        given=chromium.given,
        find=chromium.find,
        running=chromium.running,
    ),
    "tools": Service(
        packages=tools.PACKAGES,
        given=tools.given,
        find=tools.find,
        running=tools.running,
    ),
}
"""By name."""


@contextmanager
def running(names: Sequence[str], say: Callable[[str], None]) -> Iterator[Variables]:
    """Provide services for the block; yield the variables that tell where they are.

    Raises `MissingServiceError` for one that cannot be had.
    """
    known: Variables = {}
    ours = []
    for name in names:
        found = SERVICES[name].given()
        known |= found
        if not found:
            ours.append(name)
    with ExitStack() as stack:
        prefix = "calendar-sync-tests-"
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        root.chmod(0o711)  # PostgreSQL runs as another user and must get through
        starts = list(_sources(ours, root, say))
        with ThreadPoolExecutor(len(starts) or 1) as pool:
            for found in pool.map(stack.enter_context, starts):
                known |= found
        yield known


def _sources(
    names: Sequence[str], root: Path, say: Callable[[str], None]
) -> Iterator[Running]:
    missing = [name for name in names if SERVICES[name].find() is None]
    contained: dict[str, Running] = {}
    if missing and debian.can_install():
        packages = _packages(missing)
        say(f"Installing {packages}")
        debian.install(packages.split())
    elif missing:
        contained = _containers(missing)
    for name in names:
        if name in contained:
            yield contained[name]
        else:
            directory = root / name
            directory.mkdir()
            yield SERVICES[name].running(directory)


def _containers(missing: Sequence[str]) -> dict[str, Running]:
    """Return containers for all that is missing; raises `MissingServiceError`."""
    makers = {name: SERVICES[name].container for name in missing}
    has_docker = docker.is_available()
    if without := [n for n in missing if not has_docker or makers[n] is None]:
        message = (
            f"missing: {', '.join(without)}; install them (on Debian: apt-get install "
            f"{_packages(without)}), start Docker, or set AMQP_URL and DATABASE_URL"
        )
        raise MissingServiceError(message)
    return {name: make() for name, make in makers.items() if make is not None}


def _packages(names: Sequence[str]) -> str:
    return " ".join(SERVICES[name].packages for name in names)
