"""Claiming messages and settling them, each in a transaction of its own."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shared.adapters.broker_local import table
from shared.adapters.broker_local.table import Claimed
from shared.domain import errors, ports
from shared.domain.messages import Queue
from shared.domain.ports import Dead, Disposition, Done, Later

READ_ONLY = {"postgresql_readonly": True}
"""How a transaction says that it only reads, so that it waits for no writer."""


class Claims:
    """What a consumer asks of the table; raises `BrokerConnectionError`."""

    def __init__(
        self, engine: Callable[[], Engine], clock: ports.Clock, claim_seconds: float
    ) -> None:
        """Take the database, and how long a claim lasts if nobody renews it."""
        self._engine = engine
        self._clock = clock
        self._claim_time = timedelta(seconds=claim_seconds)

    def claim(self, queues: Sequence[Queue], limit: int) -> Sequence[Claimed]:
        """Take up to `limit` messages; writes nothing when there are none."""
        now = self._clock.now()
        with failures():
            reader = self._engine().execution_options(**READ_ONLY)
            with reader.connect() as connection:
                if not table.has_due(connection, queues, now):
                    return ()
            with self._engine().begin() as connection:
                ids = table.due(connection, queues, limit, now)
                until = now + self._claim_time
                token = secrets.token_hex(8)
                taken = table.claim(connection, ids, token, now=now, until=until)
                return tuple(taken)

    def renew(self, claims: Sequence[Claimed]) -> None:
        """Keep what is in hand from being delivered to somebody else."""
        until = self._clock.now() + self._claim_time
        with failures(), self._engine().begin() as connection:
            table.renew(connection, claims, until)

    def settle(self, claimed: Claimed, disposition: Disposition | None) -> None:
        """Carry out what was decided on a message; None gives it back."""
        now = self._clock.now()
        with failures(), self._engine().begin() as connection:
            if disposition is None:
                table.give_back(connection, claimed, now)
                return
            # Whoever lost the claim meanwhile has nothing to follow up on.
            if not table.remove(connection, claimed):
                return
            match disposition:
                case Done():
                    pass
                case Later(message=message, delay=delay):
                    then = now + timedelta(seconds=delay.seconds)
                    table.add(connection, [(claimed.queue, message)], then)
                case Dead(message=message):
                    table.add(connection, [(Queue.DEAD_LETTERS, message)], now)


@contextmanager
def failures() -> Iterator[None]:
    """Raise what the database raises as `BrokerConnectionError`."""
    try:
        yield
    except SQLAlchemyError as error:
        # The first line; PostgreSQL puts values into those that follow.
        origin = error.orig if isinstance(error, DBAPIError) else error
        reason = str(origin).strip().partition("\n")[0]
        message = f"the table of messages cannot be used ({reason})"
        raise errors.BrokerConnectionError(message) from error
