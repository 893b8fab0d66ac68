"""The broker of production: RabbitMQ 3.10 to 4.x over pika.

`topology` names and declares what is on the server, `pipe` carries what is published,
`consumer` runs handlers beside a connection thread that does nothing else.
"""

from collections.abc import Mapping, Sequence

from shared.adapters.broker_rabbitmq import connecting, topology
from shared.adapters.broker_rabbitmq.consumer import RabbitConsumer
from shared.adapters.broker_rabbitmq.delivery import Responder
from shared.adapters.broker_rabbitmq.publisher import CONFIRM_SECONDS, RabbitPublisher
from shared.adapters.broker_rabbitmq.topology import Survey
from shared.domain import messages, ports
from shared.domain.messages import Delay, Message, Queue

__all__ = ["RabbitBroker", "Survey"]


class RabbitBroker:
    """Queues on a RabbitMQ server (`ports.Broker`)."""

    def __init__(
        self,
        url: str,
        clock: ports.Clock,
        *,
        confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:
        """Take `AMQP_URL`; nothing connects before it must.

        pika's options may stand in the query of the URL, such as `?heartbeat=30`.
        Raises `ConfigurationError` when the URL cannot be read.
        """
        self._url = url
        self._clock = clock
        self._publisher = RabbitPublisher(url, confirm_seconds=confirm_seconds)

    def declare(self) -> None:
        """Create the exchanges and queues that are missing."""
        with connecting.connected(self._url, "setup") as connection:
            topology.declare(connection)

    def publish(self, *published: Message, delay: Delay | None = None) -> None:
        """Return once the server has confirmed every message."""
        self._publisher.publish(
            topology.exchange_of(delay),
            [(m.queue.value, messages.encode(m), m.id) for m in published],
        )

    def consumer(
        self, queues: Sequence[Queue], handler: ports.Handler, *, concurrency: int
    ) -> RabbitConsumer:
        """Return a consumer of these queues."""
        return RabbitConsumer(
            self._url,
            Responder(handler, self._publisher, self._clock),
            queues=queues,
            concurrency=concurrency,
        )

    def depths(self) -> Mapping[str, int]:
        """Count the messages that are ready in each queue and delay queue."""
        with connecting.connected(self._url, "depths") as connection:
            return topology.depths(connection)

    def survey(self) -> Survey:
        """Look whether our queues are there, are as we make them, and are consumed.

        Raises `BrokerConnectionError`.
        """
        with connecting.connected(self._url, "survey") as connection:
            return topology.survey(connection)

    def ping(self) -> None:
        """Return if a connection can be opened."""
        with connecting.connected(self._url, "ping"):
            pass

    def close(self) -> None:
        """Close the publishing connection; consumers close theirs when they stop."""
        self._publisher.close()
