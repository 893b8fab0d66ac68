"""A subscription to one queue, which outlives what the server forgets of it."""

import time
from collections.abc import Callable
from typing import Any

import pika

from shared.adapters.broker_rabbitmq import connecting, topology
from shared.adapters.broker_rabbitmq.delivery import Delivery
from shared.domain.messages import Queue

QUIET_SECONDS = 10.0
"""What was silent for so long, after a message or at first, is subscribed to anew.

After another node took the lead, a quorum queue can believe for ever that we have
messages which we never got, or have acknowledged; once these are as many as we may
have, it keeps the others. It hands all of them out again when our channel closes.
Source: https://github.com/rabbitmq/rabbitmq-server/issues/15473
"""


class Subscription:
    """To one queue, on a channel of its own."""

    def __init__(
        self,
        connection: pika.BlockingConnection,
        queue: Queue,
        prefetch: int,
        take: Callable[[Any, int, Delivery], None],
    ) -> None:
        """Begin; `take` is given the channel and tag to answer on, and what came."""
        self._connection = connection
        self._queue = queue
        self._name = topology.queue_name(queue)
        self._prefetch = prefetch
        self._take = take
        self._heard_at: float | None = time.monotonic()
        self._begin()

    def _begin(self) -> None:
        with connecting.in_time(self._connection):
            self.channel = self._connection.channel()
            self.channel.basic_qos(prefetch_count=self._prefetch)
            self._tag = self.channel.basic_consume(self._name, self._on_message)

    def is_there(self) -> bool:
        """Tell whether the server still knows of it."""
        return self.channel.is_open and self._tag in self.channel.consumer_tags

    def has_been_silent(self, seconds: float) -> bool:
        """Tell whether nothing came for so long; not again before something comes."""
        heard_at = self._heard_at
        return heard_at is not None and time.monotonic() - heard_at > seconds

    def renew(self) -> None:
        """Have the server hand out again whatever it takes for ours.

        Not while the queue has no leader, who would not hear of it: rather later.
        """
        if not self._is_led():
            self._heard_at = time.monotonic()
            return
        with connecting.in_time(self._connection):
            self.channel.close()
        self._heard_at = None
        self._begin()

    def _is_led(self) -> bool:
        with connecting.in_time(self._connection):
            channel = self._connection.channel()
            found = channel.queue_declare(self._name, passive=True).method
            channel.close()
        # Without a leader, the server knows of no consumer, not even of us.
        return bool(found.consumer_count)

    def cancel(self) -> None:
        """Take nothing more; what was taken can still be answered."""
        with connecting.in_time(self._connection):
            self.channel.basic_cancel(self._tag)

    def _on_message(
        self,
        channel: Any,  # noqa: ANN401 - pika is untyped
        method: Any,  # noqa: ANN401 - pika is untyped
        properties: Any,  # noqa: ANN401 - pika is untyped
        body: bytes,
    ) -> None:
        self._heard_at = time.monotonic()
        delivery = Delivery(
            queue=self._queue,
            body=body,
            message_id=properties.message_id,
            headers=properties.headers or {},
        )
        self._take(channel, method.delivery_tag, delivery)
