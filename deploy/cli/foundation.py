"""What every command stands on, built from the environment."""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from deploy.cli.clock import SystemClock
from shared import log
from shared.adapters import crypto
from shared.adapters.broker_local import LocalBroker
from shared.adapters.broker_rabbitmq import RabbitBroker
from shared.adapters.store import Store
from shared.config import Config
from shared.domain import errors, ports

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """The configuration, and the adapters that all commands have in common."""

    config: Config
    keys: crypto.Keys
    clock: ports.Clock
    store: Store
    broker: ports.Broker

    @property
    def is_sqlite(self) -> bool:
        """Tell whether the database is a file that one machine has."""
        return self.config.database_url.startswith("sqlite")


@contextlib.contextmanager
def opened(*, narrates: bool = False) -> Iterator[Foundation]:
    """Read the environment and build; nothing connects before it must.

    A process that stays narrates what it does. A command that ends prints that, so at
    the usual level its log has warnings only; a preview would tell of writes else.
    Raises `ConfigurationError` with all problems.
    """
    config = Config.from_environment()
    is_quiet = config.log_level == "info" and not narrates
    log.configure("warning" if is_quiet else config.log_level, config.log_format)
    base = _build(config)
    try:
        with _traced(config):
            yield base
    finally:
        base.broker.close()
        base.store.close()


def _traced(config: Config) -> contextlib.AbstractContextManager[None]:
    if config.traces_url is None:
        return contextlib.nullcontext()
    # Only now: it takes OpenTelemetry's SDK with it.
    exporting = importlib.import_module("deploy.cli.exporting")
    traced: contextlib.AbstractContextManager[None] = exporting.to(config.traces_url)
    return traced


def _build(config: Config) -> Foundation:
    clock = SystemClock()
    problems: list[str] = []
    keys = _tried(lambda: _keys(config), problems)
    url = config.amqp_url
    rabbit = _tried(lambda: RabbitBroker(url, clock), problems) if url else None
    if problems or keys is None:
        raise errors.ConfigurationError(problems)
    store = Store(config.database_url, keys=keys)
    return Foundation(
        config=config,
        keys=keys,
        clock=clock,
        store=store,
        broker=rabbit or LocalBroker(lambda: store.engine, clock),
    )


def _keys(config: Config) -> crypto.Keys:
    try:
        if config.database_url.startswith("sqlite"):
            config.data_directory.mkdir(parents=True, exist_ok=True)
        return config.keys()
    except OSError as error:
        where = config.data_directory
        problem = f"DATABASE_URL: {where} cannot be written ({error.strerror})"
        raise errors.ConfigurationError([problem]) from error


def _tried(build: Callable[[], Part], problems: list[str]) -> Part | None:
    try:
        return build()
    except errors.ConfigurationError as error:
        problems += error.problems
        return None
