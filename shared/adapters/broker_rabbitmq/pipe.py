"""The connection that carries what all threads of a process publish.

One thread owns it. Callers leave batches and wake that thread; it sends all that is
there in one go, and a single confirm from the server may settle hundreds of messages.
Source: https://www.rabbitmq.com/docs/confirms
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection

from shared.adapters.broker_rabbitmq import connecting

log = logging.getLogger(__name__)

PURPOSE = "publisher"

_CLOSE_SECONDS = 2.0

Outgoing = tuple[str, bytes, str]
"""Routing key, body, message id."""


class Batch:
    """The messages of one call, and how many confirms are still to come."""

    def __init__(self, exchange: str, outgoing: Sequence[Outgoing]) -> None:
        """Take what to publish and where."""
        self.exchange = exchange
        self.outgoing = outgoing
        self.error: str | None = None
        self.is_abandoned = False
        self._missing = len(outgoing)
        # A bare lock wakes its one waiter at a fraction of what an Event costs.
        self._latch = threading.Lock()
        self._latch.acquire()

    @property
    def routing_keys(self) -> str:
        """The queues it is for, to be named in errors."""
        return ", ".join(sorted({routing_key for routing_key, _, _ in self.outgoing}))

    def wait(self, seconds: float) -> bool:
        """Tell whether the batch was confirmed or failed in time; else abandon it."""
        self.is_abandoned = not self._latch.acquire(timeout=seconds)
        return not self.is_abandoned

    # -- on the connection's thread -----------------------------------------------

    def confirm(self) -> None:
        """Note that the server has stored one of the messages."""
        self._missing -= 1
        if self._missing == 0 and self.error is None:
            self._latch.release()

    def fail(self, error: str) -> None:
        """Let the caller go on with an error; further ones change nothing."""
        if self.error is None and self._missing > 0:
            self.error = error
            self._latch.release()


class Pipe:
    """One connection at a time, opened again whenever it is lost."""

    def __init__(self, url: str) -> None:
        """Begin to connect."""
        self._url = url
        self._untried: list[pika.URLParameters] = []
        self._waiting: deque[Batch] = deque()
        self._is_woken = False
        self._is_closing = False
        self._outstanding: dict[int, tuple[Batch, Outgoing]] = {}
        self._returned: set[str] = set()
        self._last_tag = 0
        self._blocked: str | None = None
        self._newest: Any = None
        """The channel that was opened last, unless it was given up."""
        self._channel: Any = None
        """The same, once it can be used."""
        self._connection: Any = None
        self._pauses = self._fresh_pauses()
        self._loop = IOLoop()
        self._thread = threading.Thread(
            target=self._run, name="rabbitmq-publisher", daemon=True
        )
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Tell whether somebody serves the pipe."""
        return self._thread.is_alive()

    def send(self, batch: Batch) -> None:
        """Leave a batch to be sent; safe from any thread."""
        self._waiting.append(batch)
        # Appended first and looked at second, and the other way round in `_flush`:
        # a batch is either taken along or wakes the thread. Waking costs, so once.
        if not self._is_woken:
            self._is_woken = True
            self._loop.add_callback_threadsafe(self._flush)

    def give_up(self, batch: Batch) -> None:
        """Use another channel if the server had this batch; safe from any thread."""
        self._loop.add_callback_threadsafe(partial(self._give_up, batch))

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._is_closing = True
        self._loop.add_callback_threadsafe(self._hang_up)
        self._thread.join(_CLOSE_SECONDS)

    # -- on the connection's thread: connecting -----------------------------------

    def _run(self) -> None:
        try:
            self._connect()
            self._loop.start()
        finally:
            self._fail_all("the connection to RabbitMQ is closed")
            self._loop.close()

    def _connect(self) -> None:
        self._untried = self._untried or connecting.parameters(self._url, PURPOSE)
        self._connection = SelectConnection(
            self._untried.pop(),
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_end,
            on_close_callback=self._on_end,
            custom_ioloop=self._loop,
        )

    def _hang_up(self) -> None:
        if self._connection.is_closed or self._connection.is_closing:
            self._loop.stop()
        else:
            self._connection.close()

    def _on_open(self, connection: Any) -> None:  # noqa: ANN401 - pika is untyped
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        self._open_channel()

    def _open_channel(self) -> None:
        self._connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:  # noqa: ANN401 - pika is untyped
        self._newest = channel
        channel.add_on_return_callback(self._on_return)
        channel.add_on_close_callback(self._on_channel_closed)
        channel.confirm_delivery(
            partial(self._on_confirm, channel),
            callback=lambda _frame: self._ready(channel),
        )

    def _ready(self, channel: Any) -> None:  # noqa: ANN401 - pika is untyped
        self._channel, self._last_tag = channel, 0
        self._untried = []
        self._pauses = self._fresh_pauses()
        self._flush()

    def _on_channel_closed(self, channel: object, reason: object) -> None:
        if channel is not self._newest:
            return
        # What is outstanding will never be confirmed; what waits may have better luck.
        self._fail_outstanding(f"RabbitMQ refused ({connecting.explain(reason)})")
        if self._connection.is_open:
            self._open_channel()

    def _on_end(self, _connection: object, reason: object) -> None:
        why = connecting.explain(reason)
        was_ready = self._channel is not None
        self._fail_outstanding(f"RabbitMQ went away ({why})")
        self._blocked = None
        if self._is_closing:
            self._loop.stop()
            return
        if not was_ready and self._untried:
            # Another node of the cluster may take us.
            self._loop.call_later(0, self._connect)
            return
        if not was_ready:
            # Connecting failed: better to say so than to let all callers run late.
            self._fail_waiting(f"RabbitMQ cannot be reached ({why})")
        pause = next(self._pauses)
        log.warning("Lost RabbitMQ (%s); connecting again in %g s", why, pause)
        self._loop.call_later(pause, self._connect)

    def _on_blocked(self, _connection: object, frame: Any) -> None:  # noqa: ANN401
        # The server is short of memory or disk and reads nothing more from us.
        self._blocked = f"RabbitMQ takes no messages ({frame.method.reason})"
        log.warning("Was told that %s", self._blocked)
        for batch, _ in self._outstanding.values():
            batch.fail(self._blocked)
        self._fail_waiting(self._blocked)

    def _on_unblocked(self, _connection: object, _frame: object) -> None:
        self._blocked = None
        log.info("RabbitMQ takes messages again")

    @staticmethod
    def _fresh_pauses() -> Iterator[float]:
        # Callers wait for the next try, so the longest is well below their patience.
        return connecting.pauses(0.05, 1.0)

    # -- on the connection's thread: failing --------------------------------------

    def _fail_all(self, error: str) -> None:
        self._fail_outstanding(error)
        self._fail_waiting(error)

    def _fail_outstanding(self, error: str) -> None:
        self._channel = None
        self._returned.clear()
        outstanding, self._outstanding = self._outstanding, {}
        for batch, _ in outstanding.values():
            batch.fail(error)

    def _fail_waiting(self, error: str) -> None:
        while self._waiting:
            self._waiting.popleft().fail(error)

    # -- on the connection's thread: publishing -----------------------------------

    def _flush(self) -> None:
        self._is_woken = False
        if self._blocked is not None:
            self._fail_waiting(self._blocked)
        if self._channel is None:
            return
        while self._waiting:
            batch = self._waiting.popleft()
            if not batch.is_abandoned:
                self._publish(batch)

    def _publish(self, batch: Batch) -> None:
        for outgoing in batch.outgoing:
            routing_key, body, message_id = outgoing
            self._last_tag += 1
            self._outstanding[self._last_tag] = (batch, outgoing)
            properties = pika.BasicProperties(
                delivery_mode=pika.DeliveryMode.Persistent.value,
                content_type="application/json",
                message_id=message_id,
            )
            self._channel.basic_publish(
                batch.exchange, routing_key, body, properties, mandatory=True
            )

    def _on_return(
        self,
        channel: object,
        _method: object,
        properties: Any,  # noqa: ANN401 - pika is untyped
        _body: bytes,
    ) -> None:
        # The server returns what it cannot route just before it confirms it.
        if channel is self._channel:
            self._returned.add(properties.message_id)

    def _on_confirm(self, channel: object, frame: Any) -> None:  # noqa: ANN401 - pika is untyped
        if channel is not self._channel:
            return
        method = frame.method
        last = method.delivery_tag
        if method.multiple:
            tags = list(takewhile(lambda tag: tag <= last, self._outstanding))
        else:
            tags = [last]
        for tag in tags:
            batch, outgoing = self._outstanding.pop(tag)
            self._settle(batch, outgoing, method)
        if isinstance(method, pika.spec.Basic.Nack):
            self._renew_channel()

    def _settle(self, batch: Batch, outgoing: Outgoing, method: object) -> None:
        routing_key, _, message_id = outgoing
        if message_id in self._returned:
            self._returned.discard(message_id)
            where = f"{routing_key} on exchange {batch.exchange}"
            batch.fail(f"RabbitMQ has no queue for {where}; run: calendar-sync migrate")
        elif isinstance(method, pika.spec.Basic.Ack):
            batch.confirm()
        else:
            batch.fail(f"RabbitMQ did not store a message for {routing_key}")

    def _give_up(self, batch: Batch) -> None:
        if any(each is batch for each, _ in self._outstanding.values()):
            self._renew_channel()

    def _renew_channel(self) -> None:
        # A channel that first needs a queue when the node of its leader dies or hangs
        # asks that node for ever, and refuses or leaves unanswered all that comes, its
        # own end as well; a new one does not.
        channel, self._newest = self._channel, None
        self._fail_outstanding("RabbitMQ did not store what was sent before")
        channel.close()
        self._open_channel()
