"""Brings database and broker into the state that a command needs."""

import logging
import time
from collections.abc import Callable

import tenacity

from deploy import migrations
from deploy.cli.foundation import Foundation
from shared.domain import errors, ports

log = logging.getLogger(__name__)


class OutdatedSchemaError(errors.SyncError):
    """The database does not have this release's schema; run: calendar-sync migrate"""


class SchemaCheck:
    """Checks the schema for /readyz; once it is there, it stays."""

    def __init__(self, base: Foundation) -> None:
        """Take the database."""
        self._base = base
        self._is_there = False

    def __call__(self) -> None:
        """Return when the schema is current.

        Raises `OutdatedSchemaError`, or `RemoteUnavailableError`.
        """
        self._is_there = self._is_there or migrations.is_current(
            self._base.store.engine
        )
        if not self._is_there:
            raise OutdatedSchemaError


def require_schema(base: Foundation) -> None:
    """Return when the schema is current; in embedded mode make it so.

    Raises `OutdatedSchemaError`, or `RemoteUnavailableError`.
    """
    engine = base.store.engine
    if migrations.is_current(engine):
        return
    if not base.config.is_embedded:
        raise OutdatedSchemaError
    migrations.upgrade(engine)


def wait_for_schema(
    base: Foundation, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Do as `require_schema`, but wait for a database that does not answer yet."""
    _patiently(lambda: require_schema(base), errors.RemoteUnavailableError, sleep)


def wait_for_queues(
    broker: ports.Broker, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Declare the queues, once the broker answers.

    Raises `TopologyError` when an existing queue has other properties.
    """
    _patiently(broker.declare, errors.BrokerConnectionError, sleep)


def _patiently(
    act: Callable[[], None],
    trouble: type[errors.SyncError],
    sleep: Callable[[float], None],
) -> None:
    tenacity.Retrying(
        sleep=sleep,
        retry=tenacity.retry_if_exception_type(trouble),
        wait=tenacity.wait_exponential(multiplier=0.5, max=10),
        before_sleep=_say_so,
    )(act)


def _say_so(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning(
        "Cannot begin yet, trying again in %g s: %s", state.upcoming_sleep, error
    )
