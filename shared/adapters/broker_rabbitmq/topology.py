"""What we keep on the server: one topic exchange, work queues, delay queues.

All queues are durable quorum queues. A work queue hands a message over to
`dead-letters` when `DELIVERY_LIMIT` redeliveries ended without an answer. A delay queue
has one fixed TTL, because RabbitMQ expires messages only at the head of a queue; it is
filled through a fanout exchange and dead-letters back to the topic exchange, so the
routing key is still the one of the work queue.
Sources: https://www.rabbitmq.com/docs/quorum-queues, https://www.rabbitmq.com/docs/dlx
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

from shared.domain import errors
from shared.domain.messages import Delay, Queue
from shared.domain.ports import DELIVERY_LIMIT

EXCHANGE = "calendar-sync"
_PRECONDITION_FAILED = 406
_NOT_FOUND = 404

_NO_LIMIT = 2**31 - 1
"""From 4.0 on, a queue without a limit drops what was redelivered 20 times."""

_DEAD_LETTERING = {
    "x-dead-letter-exchange": EXCHANGE,
    # Without both of these a message may be lost between two queues.
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}

_Call = Callable[[Any], object]
"""Something to be done on one of pika's untyped channels."""


def queue_name(queue: Queue) -> str:
    """Return the name of a work queue on the server."""
    return f"calendar-sync.{queue}"


def exchange_of(delay: Delay | None) -> str:
    """Return the exchange that leads to the work queues, at once or later.

    A delay's queue has the same name as its exchange.
    """
    return f"calendar-sync.delay.{delay}" if delay else EXCHANGE


def declare(connection: pika.BlockingConnection) -> None:
    """Create what is missing.

    Raises `TopologyError` with every queue and exchange that is there but differs.
    """
    problems = [
        problem
        for call in _declarations()
        if (problem := _disagreement(connection, call)) is not None
    ]
    if problems:
        raise errors.TopologyError(problems)


def _declarations() -> Iterator[_Call]:
    yield lambda c: c.exchange_declare(EXCHANGE, "topic", durable=True)
    for queue in Queue:
        name = queue_name(queue)
        yield _queue(name, _work_arguments(queue))
        yield _binding(name, EXCHANGE, queue.value)
    for delay in Delay:
        name = exchange_of(delay)
        yield _fanout(name)
        yield _queue(name, _delay_arguments(delay))
        yield _binding(name, name, "")


def _queue(name: str, arguments: Mapping[str, object]) -> _Call:
    return lambda c: c.queue_declare(
        name, durable=True, arguments={"x-queue-type": "quorum", **arguments}
    )


def _binding(queue: str, exchange: str, routing_key: str) -> _Call:
    return lambda c: c.queue_bind(queue, exchange, routing_key)


def _fanout(name: str) -> _Call:
    return lambda c: c.exchange_declare(name, "fanout", durable=True)


def _work_arguments(queue: Queue) -> dict[str, object]:
    if queue is Queue.DEAD_LETTERS:
        return {"x-delivery-limit": _NO_LIMIT}
    return {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-routing-key": Queue.DEAD_LETTERS.value,
        **_DEAD_LETTERING,
    }


def _delay_arguments(delay: Delay) -> dict[str, object]:
    return {"x-message-ttl": delay.seconds * 1000, **_DEAD_LETTERING}


def _disagreement(connection: pika.BlockingConnection, call: _Call) -> str | None:
    # A refusal closes the channel, so each declaration has its own.
    channel = connection.channel()
    try:
        call(channel)
    except ChannelClosedByBroker as error:
        if error.reply_code != _PRECONDITION_FAILED:
            raise
        # The server's text names the queue or exchange, the property and both values.
        return (
            f"AMQP_URL: RabbitMQ has other settings than ours ({error.reply_text}); "
            "let that queue run empty, delete it and declare again"
        )
    channel.close()
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What of ours is on the server; queues go by their names there."""

    missing: Sequence[str]
    differing: Mapping[str, str]
    """What the server says of queues that have other properties than ours."""
    unattended: Mapping[str, int]
    """The messages ready in each work queue that nobody consumes."""


def survey(connection: pika.BlockingConnection) -> Survey:
    """Look at our queues, and change none."""
    missing, differing, unattended = [], {}, {}
    for name, arguments in _queues().items():
        channel = connection.channel()
        try:
            found = channel.queue_declare(name, passive=True).method
        except ChannelClosedByBroker as error:
            if error.reply_code != _NOT_FOUND:
                raise
            missing.append(name)
            continue
        # What is there already is only compared.
        if problem := _disagreement(connection, _queue(name, arguments)):
            differing[name] = problem
        if found.consumer_count == 0 and "x-message-ttl" not in arguments:
            unattended[name] = found.message_count
    return Survey(missing=missing, differing=differing, unattended=unattended)


def _queues() -> Mapping[str, Mapping[str, object]]:
    return {
        **{queue_name(queue): _work_arguments(queue) for queue in Queue},
        **{exchange_of(delay): _delay_arguments(delay) for delay in Delay},
    }


def depths(connection: pika.BlockingConnection) -> dict[str, int]:
    """Return the number of ready messages by queue; delay queues as `delay.10s`.

    Raises `BrokerConnectionError` when a queue is not there.
    """
    names = {queue.value: queue_name(queue) for queue in Queue}
    names |= {f"delay.{delay}": exchange_of(delay) for delay in Delay}
    channel = connection.channel()
    return {short: _depth(channel, name) for short, name in names.items()}


def _depth(channel: Any, name: str) -> int:  # noqa: ANN401 - pika is untyped
    try:
        answer = channel.queue_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        message = f"RabbitMQ has no queue {name}; run: calendar-sync migrate"
        raise errors.BrokerConnectionError(message) from error
    return int(answer.method.message_count)
