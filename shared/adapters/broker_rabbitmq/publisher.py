"""Publishing with confirms: many threads, one pipelined connection per process."""

import os
import threading
from collections.abc import Sequence

from shared.adapters.broker_rabbitmq import connecting
from shared.adapters.broker_rabbitmq.pipe import PURPOSE, Batch, Outgoing, Pipe
from shared.domain import errors

CONFIRM_SECONDS = 5.0
"""How long a caller waits for the server; webhook senders hang up after ten."""


class RabbitPublisher:
    """Publishes from any thread; connects on first use, and anew in a forked process.

    After `close`, the next call connects again.
    """

    def __init__(self, url: str, *, confirm_seconds: float = CONFIRM_SECONDS) -> None:
        """Take where to connect; raises `ConfigurationError` for a bad address."""
        connecting.parameters(url, PURPOSE)
        self._url = url
        self._confirm_seconds = confirm_seconds
        self._mutex = threading.Lock()
        self._pipe: Pipe | None = None
        self._pid = 0

    def publish(self, exchange: str, outgoing: Sequence[Outgoing]) -> None:
        """Return once every message is confirmed; raises `BrokerConnectionError`."""
        if not outgoing:
            return
        batch, pipe = Batch(exchange, outgoing), self._here()
        pipe.send(batch)
        if not batch.wait(self._confirm_seconds):
            pipe.give_up(batch)
            seconds = f"{self._confirm_seconds:g} s"
            message = f"RabbitMQ did not confirm {batch.routing_keys} within {seconds}"
            raise errors.BrokerConnectionError(message)
        if batch.error is not None:
            raise errors.BrokerConnectionError(batch.error)

    def close(self) -> None:
        """Close the connection of this process, if there is one."""
        with self._mutex:
            pipe, self._pipe = self._pipe, None
        if pipe is not None and self._pid == os.getpid():
            pipe.close()

    def _here(self) -> Pipe:
        pipe = self._pipe
        if pipe is None or self._pid != os.getpid() or not pipe.is_alive:
            return self._opened()
        return pipe

    def _opened(self) -> Pipe:
        with self._mutex:
            pipe = self._pipe
            if pipe is None or self._pid != os.getpid() or not pipe.is_alive:
                # After a fork, the thread that served the old one is not with us.
                pipe = Pipe(self._url)
                self._pipe, self._pid = pipe, os.getpid()
            return pipe
