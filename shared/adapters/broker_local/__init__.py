"""The broker of embedded mode: durable rows in the database that is there anyway.

A message is a row (`table`). Consumers claim rows, several at a time, and renew their
claims while handlers run. An idle consumer looks for rows 25 times a second without
writing; a publisher in the same process wakes it at once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Engine

from shared.adapters.broker_local import table
from shared.adapters.broker_local.bell import Bell
from shared.adapters.broker_local.claims import READ_ONLY, Claims, failures
from shared.adapters.broker_local.consumer import LocalConsumer
from shared.adapters.broker_local.table import metadata
from shared.domain import ports
from shared.domain.messages import Delay, Message, Queue

__all__ = ["CLAIM_SECONDS", "LocalBroker", "metadata"]

CLAIM_SECONDS = 20.0
"""After how long others take up what a killed consumer had in hand."""


class LocalBroker:
    """Queues in a table (`ports.Broker`); any number of processes may use it.

    On SQLite, the engine must begin all transactions but declared readers as writers,
    and wait for others (see `store.engines`).
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        clock: ports.Clock,
        *,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        """Take what returns the present process's engine, so that forks get theirs."""
        self._engine = engine
        self._clock = clock
        self._claim_seconds = claim_seconds
        self._bell = Bell()

    def declare(self) -> None:
        """Make the table if it is missing; migrations have usually made it."""
        with failures():
            metadata.create_all(self._engine())

    def publish(self, *published: Message, delay: Delay | None = None) -> None:
        """Return once all the messages are committed, in one transaction."""
        if not published:
            return
        wait = timedelta(seconds=delay.seconds if delay else 0)
        pairs = [(message.queue, message) for message in published]
        with failures(), self._engine().begin() as connection:
            table.add(connection, pairs, self._clock.now() + wait)
        if delay is None:
            self._bell.ring()

    def consumer(
        self, queues: Sequence[Queue], handler: ports.Handler, *, concurrency: int
    ) -> LocalConsumer:
        """Return a consumer of these queues."""
        return LocalConsumer(
            Claims(self._engine, self._clock, self._claim_seconds),
            self._bell,
            self._clock,
            queues=queues,
            handler=handler,
            concurrency=concurrency,
            renew_seconds=self._claim_seconds / 4,
        )

    def depths(self) -> Mapping[str, int]:
        """Count the messages ready in each queue; what waits counts under `delayed`."""
        reader = self._engine().execution_options(**READ_ONLY)
        with failures(), reader.connect() as connection:
            return table.depths(connection, self._clock.now())

    def ping(self) -> None:
        """Return if the table can be read."""
        self.depths()

    def close(self) -> None:
        """Do nothing: the engine belongs to whoever passed it."""
