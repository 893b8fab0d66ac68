"""The broker while RabbitMQ crashes under it and comes back."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress

import pytest

from shared.domain import errors
from shared.domain.messages import Delay
from shared.domain.ports import Broker
from tests.beside import beside
from tests.broker_contract import Inbox, consuming, eventually, ready
from tests.broker_process import message, open_broker
from tests.services import rabbitmq

pytestmark = pytest.mark.skipif(
    rabbitmq.find() is None,
    reason="RabbitMQ in a container or at an AMQP_URL is not ours to let crash",
)


@pytest.fixture
def broker(rabbitmq_node: rabbitmq.Node) -> Iterator[Broker]:
    broker = open_broker(rabbitmq_node.url)
    broker.declare()
    yield broker
    broker.close()


class Stream:
    """Publishes message after message in a thread, whatever becomes of them."""

    def __init__(self, broker: Broker) -> None:
        """Take where to."""
        self.taken: list[str] = []
        self.refused: list[str] = []
        self.longest_seconds = 0.0
        self._broker = broker

    def flowing(self) -> AbstractContextManager[None]:
        """Publish while the block runs."""
        return beside(self._publish)

    def _publish(self, is_over: threading.Event) -> None:
        for name in map(str, itertools.count()):
            if is_over.is_set():
                return
            began_at = time.monotonic()
            try:
                self._broker.publish(message(name))
            except errors.BrokerConnectionError:
                self.refused.append(name)
            else:
                self.taken.append(name)
            self.longest_seconds = max(
                self.longest_seconds, time.monotonic() - began_at
            )


def test_nothing_that_was_confirmed_is_lost_when_the_server_crashes(
    broker: Broker, rabbitmq_node: rabbitmq.Node
) -> None:
    stream, inbox = Stream(broker), Inbox()

    with consuming(broker, inbox), stream.flowing():
        inbox.wait_for(100)
        rabbitmq_node.restart()
        count = len(inbox.messages)
        inbox.wait_for(count + 100)
    with consuming(broker, inbox):
        eventually(lambda: set(stream.taken) <= set(inbox.ids), "all taken ones came")

    assert stream.refused
    assert stream.longest_seconds < 7
    eventually(lambda: not ready(broker), "nothing is left")


def test_what_waits_its_time_outlives_a_crash(
    broker: Broker, rabbitmq_node: rabbitmq.Node
) -> None:
    broker.publish(message("later"), delay=Delay.TEN_SECONDS)
    inbox = Inbox()

    rabbitmq_node.restart()

    with consuming(broker, inbox):
        inbox.wait_for(1)
    assert inbox.ids == ["later"]


def test_a_consumer_can_be_stopped_while_the_server_is_away(
    broker: Broker, rabbitmq_node: rabbitmq.Node
) -> None:
    inbox = Inbox()
    broker.publish(message("first"))

    with consuming(broker, inbox):
        inbox.wait_for(1)
        rabbitmq_node.kill()
        with suppress(errors.BrokerConnectionError):
            broker.publish(message("second"))
    rabbitmq_node.start()

    assert inbox.ids == ["first"]
