"""What becomes of one delivery; all of it happens on a handler's thread."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.adapters.broker_rabbitmq import connecting, topology
from shared.adapters.broker_rabbitmq.publisher import RabbitPublisher
from shared.domain import errors, messages, ports
from shared.domain.messages import Delay, Message, Queue
from shared.domain.ports import Dead, Disposition, Done, Handler, Later

log = logging.getLogger(__name__)


class Answer(Enum):
    """What the server is told about a delivery."""

    ACK = "ack"
    """It is dealt with."""
    REJECT = "reject"
    """It failed and comes again; this counts towards the delivery limit."""
    NACK = "nack"
    """It comes again, to no fault of its own; from 4.3 on this does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as the server delivered it."""

    queue: Queue
    body: bytes
    message_id: str | None
    headers: dict[str, Any]

    @property
    def hit_the_limit(self) -> bool:
        """Tell whether the server gave up delivering it to its work queue."""
        deaths = self.headers.get("x-death") or ()
        return any(death.get("reason") == "delivery_limit" for death in deaths)


class Responder:
    """Runs the handler and carries out what it decides."""

    def __init__(
        self, handler: Handler, publisher: RabbitPublisher, clock: ports.Clock
    ) -> None:
        """Take who handles messages, and where those go that follow them."""
        self._handler = handler
        self._publisher = publisher
        self._clock = clock

    def respond(self, delivery: Delivery, is_over: Callable[[], bool]) -> Answer:
        """Deal with a delivery; once `is_over`, an answer no longer waits for a broker.

        The message that follows is confirmed before this one is acknowledged.
        """
        match self._decide(delivery):
            case Done():
                return Answer.ACK
            case Later(message=message, delay=delay):
                exchange, queue = topology.exchange_of(delay), delivery.queue
            case Dead(message=message):
                exchange, queue = topology.EXCHANGE, Queue.DEAD_LETTERS
            case _:
                return Answer.REJECT
        return self._follow_up(exchange, queue, message, is_over)

    def _decide(self, delivery: Delivery) -> Disposition | None:
        now = self._clock.now()
        try:
            message = messages.decode(delivery.body)
        except errors.MessageDecodeError:
            name = delivery.message_id or f"unreadable-{now.timestamp()}"
            return Dead(
                message=messages.unreadable(
                    delivery.queue, delivery.body, delivery_id=name, at=now
                )
            )
        if delivery.queue is Queue.DEAD_LETTERS and delivery.hit_the_limit:
            text = f"{ports.DELIVERY_LIMIT} redeliveries ended without an answer"
            message = messages.failed(message, "delivery_limit", text, at=now)
        return self._handle(message, delivery.queue)

    def _handle(self, message: Message, queue: Queue) -> Disposition | None:
        try:
            return self._handler(message)
        except Exception:
            log.exception("Gave message %s back because its handler broke", message.id)
        if queue is Queue.DEAD_LETTERS:
            # There is nowhere further to go, so it must not come back at once for ever.
            return Later(message=message, delay=Delay.TEN_SECONDS)
        return None

    def _follow_up(
        self,
        exchange: str,
        queue: Queue,
        message: Message,
        is_over: Callable[[], bool],
    ) -> Answer:
        outgoing = (queue.value, messages.encode(message), message.id)
        for pause in connecting.pauses(0.1, 1.0):
            try:
                self._publisher.publish(exchange, [outgoing])
            except errors.BrokerConnectionError as error:
                log.warning("Could not queue what follows %s: %s", message.id, error)
            else:
                return Answer.ACK
            # Giving it back at once would use up its redeliveries while the server,
            # say, is short of memory.
            if is_over():
                break
            time.sleep(pause)
        return Answer.NACK
