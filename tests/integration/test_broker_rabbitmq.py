"""The broker on a real RabbitMQ."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.channel import Channel
from pika.exceptions import AMQPError

from shared.adapters.broker_rabbitmq import RabbitBroker, connecting, topology
from shared.adapters.broker_rabbitmq.consumer import RabbitConsumer
from shared.adapters.broker_rabbitmq.delivery import Responder
from shared.adapters.broker_rabbitmq.publisher import RabbitPublisher
from shared.domain import errors
from shared.domain.messages import Delay, Message, Queue
from shared.domain.ports import Broker, Disposition, Done, Later
from tests import broker_contract
from tests.broker_contract import Inbox, consuming, drain, eventually, ready
from tests.broker_process import Process, WallClock, message, open_broker
from tests.broker_proxy import Proxy


@pytest.fixture
def url(rabbitmq_url: str) -> str:
    return rabbitmq_url


@pytest.fixture
def away_url() -> str:
    return "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
def put(url: str) -> Callable[[Queue, bytes], None]:
    def put(queue: Queue, body: bytes) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(url))
        connection.channel().basic_publish(topology.EXCHANGE, queue.value, body)
        connection.close()

    return put


class TestPublishing(broker_contract.PublishingContract):
    """On RabbitMQ."""


class TestConsuming(broker_contract.ConsumingContract):
    """On RabbitMQ."""


class TestStopping(broker_contract.StoppingContract):
    """On RabbitMQ."""


@pytest.fixture
def broker(url: str) -> Iterator[Broker]:
    broker = open_broker(url)
    broker.declare()
    yield broker
    broker.close()


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    port = urlsplit(url).port
    assert port is not None
    with Proxy(port) as proxy:
        yield proxy


def through(proxy: Proxy, url: str, query: str = "") -> str:
    """Return the address with the proxy in between."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@127.0.0.1:{proxy.port}"
    return urlunsplit(parts._replace(netloc=netloc, query=query))


@contextmanager
def server(url: str) -> Iterator[Any]:
    """Open a channel of our own, to change what is on the server."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    yield connection.channel()
    connection.close()


class TestLosingTheConnection:
    """Nothing that was confirmed is lost, and everybody connects again."""

    def test_what_was_confirmed_survives_cuts_in_mid_stream(
        self, broker: Broker, url: str, proxy: Proxy
    ) -> None:
        shaky = open_broker(through(proxy, url))
        taken: list[str] = []
        cuts: list[int] = []

        def publish(name: str) -> None:
            with suppress(errors.BrokerConnectionError):
                shaky.publish(message(name))
                taken.append(name)
            if int(name) % 100 == 50:
                cuts.append(proxy.cut())

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(publish, map(str, range(600))))
        shaky.close()

        assert sum(cuts) > 1
        assert len(taken) > 100
        inbox = Inbox()
        with consuming(broker, inbox):
            eventually(lambda: set(inbox.ids) >= set(taken), "all taken ones came")

    def test_a_consumer_goes_on_after_cuts_in_mid_stream(
        self, broker: Broker, url: str, proxy: Proxy
    ) -> None:
        shaky = open_broker(through(proxy, url))
        names = {str(number) for number in range(600)}

        cuts_at = {"100", "300", "500"}

        def handle(taken: Message) -> Disposition:
            # Once each: what was cut off comes again, and would cut for ever.
            if taken.id in cuts_at:
                cuts_at.remove(taken.id)
                proxy.cut()
            return Done()

        inbox = Inbox(handle)
        with consuming(shaky, inbox):
            broker.publish(*map(message, names))
            eventually(lambda: set(inbox.ids) == names, "all came")
            eventually(lambda: broker.depths()["records"] == 0, "all are settled")
        shaky.close()
        assert not cuts_at

        with consuming(broker, rest := Inbox()):
            broker.publish(message("last"))
            eventually(lambda: "last" in rest.ids, "the last came")
        assert rest.ids == ["last"]

    def test_what_follows_a_message_waits_for_the_broker_to_take_it(
        self, broker: Broker, url: str, proxy: Proxy
    ) -> None:
        # The consumer's own connection is not cut, only the one that publishes.
        shaky = RabbitPublisher(through(proxy, url), confirm_seconds=0.5)
        inbox = Inbox(lambda m: Later(message=m, delay=Delay.BUSY))
        responder = Responder(inbox, shaky, WallClock())
        with server(url) as channel:
            channel.exchange_delete(topology.exchange_of(Delay.BUSY))
        consumer = RabbitConsumer(url, responder, queues=[Queue.RECORDS], concurrency=1)
        thread = threading.Thread(target=consumer.run)
        thread.start()

        broker.publish(message("a"))
        inbox.wait_for(1)
        time.sleep(0.5)  # it is refused a few times
        broker.declare()
        eventually(lambda: broker.depths()["delay.1s"] == 1, "it is taken")
        consumer.stop()
        thread.join()
        shaky.close()

        assert inbox.ids == ["a"]

    def test_acknowledgements_that_the_server_lost_hold_up_nothing(
        self, broker: Broker, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prefetch, lost = 4, []

        def lose_the_first(_channel: BlockingChannel, tag: int) -> None:
            lost.append(tag)
            if len(lost) == prefetch:
                monkeypatch.undo()

        monkeypatch.setattr(BlockingChannel, "basic_ack", lose_the_first)
        publisher, inbox = RabbitPublisher(url), Inbox()
        consumer = RabbitConsumer(
            url,
            Responder(inbox, publisher, WallClock()),
            queues=[Queue.RECORDS],
            concurrency=prefetch,
            quiet_seconds=0.5,
        )
        thread = threading.Thread(target=consumer.run)
        thread.start()
        names = {str(number) for number in range(3 * prefetch)}
        broker.publish(*map(message, names))
        eventually(lambda: set(inbox.ids) == names, "all came")
        consumer.stop()
        thread.join()
        publisher.close()

        assert len(inbox.ids) == len(names) + prefetch
        with consuming(broker, rest := Inbox()):
            broker.publish(message("last"))
            eventually(lambda: "last" in rest.ids, "the last came")
        assert rest.ids == ["last"]

    def test_a_server_that_falls_silent_fails_the_publisher_in_time(
        self, broker: Broker, url: str, proxy: Proxy
    ) -> None:
        assert ready(broker) == {}
        silent = RabbitBroker(through(proxy, url), WallClock(), confirm_seconds=0.5)
        silent.publish(message("a"))

        proxy.stall()
        began_at = time.monotonic()
        with pytest.raises(errors.BrokerConnectionError, match=r"records.*0\.5 s"):
            silent.publish(message("b"))

        assert time.monotonic() - began_at < 2
        silent.close()

    def test_a_channel_that_the_server_does_not_answer_on_is_left(
        self, broker: Broker, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish, channels = Channel.basic_publish, list[Channel]()

        def publish_but_on_the_first(channel: Channel, *args: Any, **more: Any) -> None:  # noqa: ANN401 - pika's
            channels.append(channel)
            if channel is not channels[0]:
                publish(channel, *args, **more)

        monkeypatch.setattr(Channel, "basic_publish", publish_but_on_the_first)
        publisher = RabbitBroker(url, WallClock(), confirm_seconds=0.5)
        with pytest.raises(errors.BrokerConnectionError, match=r"records.*0\.5 s"):
            publisher.publish(message("a"))

        publisher.publish(message("b"))

        publisher.close()
        assert ready(broker) == {"records": 1}

    def test_a_server_that_never_answers_is_one_that_cannot_be_reached(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as hangs:
            port = hangs.getsockname()[1]
            url = f"amqp://guest:guest@127.0.0.1:{port}/?stack_timeout=0.5"
            broker = open_broker(url)

            with pytest.raises(errors.BrokerConnectionError, match="Timeout"):
                broker.ping()
            broker.close()

    def test_a_server_that_falls_silent_holds_a_consumer_up_for_a_while_only(
        self, url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connecting, "PATIENCE_SECONDS", 0.5)
        connection = connecting.connect(through(proxy, url), "tests")
        proxy.stall()

        with pytest.raises(AMQPError), connecting.in_time(connection):
            connection.channel()

    def test_a_publisher_recovers_once_the_server_is_back(self, url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        broker = open_broker(
            urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
        )
        with pytest.raises(errors.BrokerConnectionError, match="refused"):
            broker.publish(message("a"))

        open_broker(url).declare()
        with Proxy(parts.port or 0, listen=port):
            eventually(lambda: _publishes(broker), "it publishes again")
            broker.close()

    def test_a_subscription_that_the_server_ends_is_taken_out_again(
        self, broker: Broker, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        inbox = Inbox()
        with consuming(broker, inbox):
            broker.publish(message("a"))
            inbox.wait_for(1)
            with server(url) as channel:
                channel.queue_delete(topology.queue_name(Queue.RECORDS))
            eventually(lambda: "ended a subscription" in caplog.text, "it is noticed")
            broker.declare()
            broker.publish(message("b"))
            inbox.wait_for(2)

        assert inbox.ids == ["a", "b"]


def _publishes(broker: Broker) -> bool:
    try:
        broker.publish(message("a"))
    except errors.BrokerConnectionError:
        return False
    return True


class TestSeveralAddresses:
    """Of a cluster, any node will do."""

    def test_each_address_is_tried_in_turn(self, url: str, away_url: str) -> None:
        broker = open_broker(f"{away_url}, {url},{away_url}")

        broker.declare()
        broker.publish(message("a"))

        broker.ping()
        assert broker.depths()["records"] == 1
        assert drain(broker, 1) == ["a"]
        broker.close()

    def test_a_publisher_whose_node_dies_goes_on_at_another_one(
        self, broker: Broker, url: str
    ) -> None:
        port = urlsplit(url).port or 0
        with Proxy(port) as second:
            with Proxy(port) as first:
                both = open_broker(f"{through(first, url)},{through(second, url)}")
                both.publish(message("a"))
            eventually(lambda: _publishes(both), "the second takes it")
        with Proxy(port, listen=first.port):
            eventually(lambda: _publishes(both), "the first, back again, takes it")
            both.close()

        assert broker.depths()["records"] == 3

    def test_all_addresses_failed_before_a_publisher_is_refused(
        self, away_url: str
    ) -> None:
        broker = open_broker(f"{away_url},{away_url}")

        with pytest.raises(errors.BrokerConnectionError, match="refused"):
            broker.publish(message("a"))

        broker.close()


class TestHeartbeat:
    """The connection lives while handlers work."""

    def test_a_handler_may_take_longer_than_the_heartbeat(
        self, broker: Broker, url: str
    ) -> None:
        lively = open_broker(f"{url}?heartbeat=1")

        def work(_: Message) -> Disposition:
            time.sleep(3.5)  # the server hangs up after three silent seconds
            return Done()

        inbox = Inbox(work)
        with consuming(lively, inbox, concurrency=2):
            broker.publish(message("a"), message("b"))
            inbox.wait_for(2)

        assert Counter(inbox.ids) == Counter(["a", "b"])
        assert sum(broker.depths().values()) == 0
        lively.close()

    def test_an_idle_publisher_stays_connected(self, broker: Broker, url: str) -> None:
        lively = open_broker(f"{url}?heartbeat=1")
        lively.publish(message("a"))

        time.sleep(3.5)
        lively.publish(message("b"))

        assert broker.depths()["records"] == 2
        lively.close()


class TestTopology:
    """What is on the server, and what is said when it is not as it should be."""

    def test_a_queue_with_other_properties_is_named(
        self, broker: Broker, url: str
    ) -> None:
        name, other = "calendar-sync.records", "calendar-sync.delay.10s"
        with server(url) as channel:
            for queue in (name, other):
                channel.queue_delete(queue)
            arguments = {
                "x-queue-type": "quorum",
                "x-delivery-limit": 99,
                "x-dead-letter-exchange": "calendar-sync",
                "x-dead-letter-routing-key": "dead-letters",
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            }
            channel.queue_declare(name, durable=True, arguments=arguments)
            channel.queue_declare(other, durable=True)

        with pytest.raises(errors.TopologyError) as caught:
            broker.declare()

        [first, second] = caught.value.problems
        assert name in first
        assert "x-delivery-limit" in first
        assert "delete it" in first
        assert other in second
        with server(url) as channel:
            channel.queue_delete(name)
            channel.queue_delete(other)

    def test_an_exchange_with_other_properties_is_named(
        self, broker: Broker, url: str
    ) -> None:
        with server(url) as channel:
            channel.exchange_delete("calendar-sync")
            channel.exchange_declare("calendar-sync", "direct", durable=True)

        with pytest.raises(errors.TopologyError, match="exchange 'calendar-sync'"):
            broker.declare()

        with server(url) as channel:
            channel.exchange_delete("calendar-sync")

    def test_a_message_without_a_queue_is_an_error_that_names_it(
        self, broker: Broker, url: str
    ) -> None:
        with server(url) as channel:
            channel.queue_delete("calendar-sync.records")

        with pytest.raises(errors.BrokerConnectionError, match=r"records.*migrate"):
            broker.publish(message("a"), message("b", Queue.BACKFILL))

        broker.declare()
        broker.publish(message("c"))
        assert drain(broker, 1) == ["c"]

    def test_a_message_without_an_exchange_is_an_error_and_leaves_a_working_publisher(
        self, broker: Broker, url: str
    ) -> None:
        with server(url) as channel:
            channel.exchange_delete("calendar-sync.delay.1s")

        with pytest.raises(errors.BrokerConnectionError, match=r"calendar-sync\.delay"):
            broker.publish(message("a"), delay=Delay.BUSY)

        broker.publish(message("b"))
        assert drain(broker, 1) == ["b"]

    def test_missing_queues_are_told_with_what_to_do(self, url: str) -> None:
        with pytest.raises(errors.BrokerConnectionError, match="calendar-sync migrate"):
            open_broker(url).depths()

    def test_a_wrong_password_is_told_without_the_password(self, url: str) -> None:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        wrong = urlunsplit(parts._replace(netloc=f"guest:hush-hush@{place}"))

        for call in (open_broker(wrong).ping, lambda: _publish_at(wrong)):
            with pytest.raises(errors.BrokerConnectionError, match="refused") as caught:
                call()
            assert "hush" not in str(caught.value)

    def test_dead_letters_survive_many_broken_consumers(
        self, broker: Broker, url: str
    ) -> None:
        # RabbitMQ 4 drops after 20 redeliveries where no limit is declared.
        broker.publish(message("a", Queue.DEAD_LETTERS))

        with server(url) as channel:
            for _ in range(25):
                name = topology.queue_name(Queue.DEAD_LETTERS)
                method, _, _ = channel.basic_get(name)
                channel.basic_reject(method.delivery_tag, requeue=True)

        assert drain(broker, 1, Queue.DEAD_LETTERS) == ["a"]


def _publish_at(url: str) -> None:
    broker = open_broker(url)
    try:
        broker.publish(message("a"))
    finally:
        broker.close()


class TestProcesses:
    """Several processes share queues."""

    def test_two_processes_publish_and_two_consume(
        self, broker: Broker, url: str
    ) -> None:
        with Process("consume", url) as one, Process("consume", url) as two:
            assert one.line() == two.line() == "ready"
            with (
                Process("publish", url, "x", "150") as first,
                Process("publish", url, "y", "150") as second,
            ):
                assert first.lines() == second.lines() == []
            eventually(lambda: broker.depths()["records"] == 0, "all were taken")
            one.terminate()
            two.terminate()
            handled = one.lines() + two.lines()

        sent = [f"{prefix}-{n}" for prefix in "xy" for n in range(150)]
        assert Counter(handled) == Counter(sent)
