"""Consuming: one thread owns the connection, handlers run in a pool beside it.

The connection's thread only moves frames, so heartbeats go out however long a handler
takes. Handlers leave their answers for it and wake it; several go out at once.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pika
from pika.exceptions import AMQPError

from shared.adapters.broker_rabbitmq import connecting
from shared.adapters.broker_rabbitmq.delivery import Answer, Delivery, Responder
from shared.adapters.broker_rabbitmq.subscription import QUIET_SECONDS, Subscription
from shared.domain import errors
from shared.domain.messages import Queue

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
"""How often the connection's thread looks whether it should stop."""


class RabbitConsumer:
    """Takes messages from some queues until it is stopped, over many connections."""

    def __init__(
        self,
        url: str,
        responder: Responder,
        *,
        queues: Sequence[Queue],
        concurrency: int,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        """Take where to connect, and who deals with deliveries."""
        self._url = url
        self._responder = responder
        self._queues = tuple(queues)
        self._concurrency = concurrency
        self._quiet_seconds = quiet_seconds
        self._pauses = connecting.pauses(0.2, 10.0)
        # No Event: setting one in a signal handler can wait for itself.
        self._is_stopping = False

    def stop(self) -> None:
        """Ask `run` to return once the handlers that run have finished."""
        self._is_stopping = True

    def run(self) -> None:
        """Consume until stopped; what no handler has begun by then is given back."""
        while not self._is_stopping:
            try:
                self._consume()
            except (AMQPError, OSError, errors.BrokerConnectionError) as error:
                pause = next(self._pauses)
                why = connecting.explain(error)
                log.warning("Lost RabbitMQ (%s); connecting again in %g s", why, pause)
                self._sleep(pause)

    def _consume(self) -> None:
        purpose = f"consumer of {' '.join(self._queues)}"
        connection = connecting.connect(self._url, purpose)
        pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="handler")
        session = _Session(connection, pool, self._responder, lambda: self._is_stopping)
        try:
            session.subscribe(self._queues, self._concurrency)
            self._pauses = connecting.pauses(0.2, 10.0)
            while not self._is_stopping:
                session.turn(self._quiet_seconds)
            session.drain()
        finally:
            # Without a connection, answers are void: what was taken comes again.
            session.is_lost = True
            pool.shutdown(wait=True, cancel_futures=True)
            if connection.is_open:
                with connecting.in_time(connection):
                    connection.close()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_stopping and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


class _Session:
    """The subscriptions of one connection, and what of them is in hand."""

    def __init__(
        self,
        connection: pika.BlockingConnection,
        pool: ThreadPoolExecutor,
        responder: Responder,
        is_stopping: Callable[[], bool],
    ) -> None:
        self.is_lost = False
        self._is_stopping = is_stopping
        self._connection = connection
        self._pool = pool
        self._responder = responder
        self._subscriptions: list[Subscription] = []
        self._in_hand: dict[tuple[Any, int], Future[None]] = {}
        self._answers: deque[tuple[Any, int, Answer]] = deque()
        self._is_woken = False

    def subscribe(self, queues: Sequence[Queue], prefetch: int) -> None:
        self._subscriptions = [
            Subscription(self._connection, queue, prefetch, self._take)
            for queue in queues
        ]

    def turn(self, quiet_seconds: float) -> None:
        """Move frames for a moment.

        Raises `BrokerConnectionError` when the server ended a subscription and would
        otherwise leave us waiting for nothing.
        """
        self._connection.process_data_events(time_limit=_LOOK_SECONDS)
        busy = {channel for channel, _ in self._in_hand}
        for subscription in self._subscriptions:
            if not subscription.is_there():
                message = "the server ended a subscription"
                raise errors.BrokerConnectionError(message)
            is_busy = subscription.channel in busy
            if not is_busy and subscription.has_been_silent(quiet_seconds):
                subscription.renew()

    def drain(self) -> None:
        """Take no more, give back what has not begun, answer what has."""
        for subscription in self._subscriptions:
            subscription.cancel()
        for (channel, number), future in list(self._in_hand.items()):
            if future.cancel():
                self._answer(channel, number, Answer.NACK)
        while self._in_hand:
            self._connection.process_data_events(time_limit=_LOOK_SECONDS)

    def _take(self, channel: Any, tag: int, delivery: Delivery) -> None:  # noqa: ANN401 - pika is untyped
        future = self._pool.submit(self._work, channel, tag, delivery)
        self._in_hand[channel, tag] = future

    def _answer_all(self) -> None:
        self._is_woken = False
        while self._answers:
            self._answer(*self._answers.popleft())

    def _answer(self, channel: Any, tag: int, answer: Answer) -> None:  # noqa: ANN401
        del self._in_hand[channel, tag]
        if not channel.is_open:
            return
        match answer:
            case Answer.ACK:
                channel.basic_ack(tag)
            case Answer.REJECT:
                channel.basic_reject(tag, requeue=True)
            case Answer.NACK:
                channel.basic_nack(tag, requeue=True)

    # -- on a handler's thread ----------------------------------------------------

    def _work(self, channel: Any, tag: int, delivery: Delivery) -> None:  # noqa: ANN401
        answer = Answer.NACK if self._is_over() else self._respond(delivery)
        # First left, then woken, as in `pipe.Pipe.send`.
        self._answers.append((channel, tag, answer))
        if not self._is_woken:
            self._is_woken = True
            with suppress(AMQPError):  # the connection is gone, and it comes again
                self._connection.add_callback_threadsafe(self._answer_all)

    def _respond(self, delivery: Delivery) -> Answer:
        try:
            return self._responder.respond(delivery, self._is_over)
        except Exception:
            log.exception("Gave a message back because dealing with it broke")
            return Answer.REJECT

    def _is_over(self) -> bool:
        return self.is_lost or self._is_stopping()
