"""What every broker does; each adapter's tests run it against the real thing.

They give two fixtures: `url`, where a broker has empty queues, and `away_url`, where
there is none.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain import errors, messages
from shared.domain.messages import Delay, Message, Queue, Unreadable
from shared.domain.ports import (
    DELIVERY_LIMIT,
    Broker,
    Consumer,
    Dead,
    Disposition,
    Done,
    Handler,
    Later,
)
from tests.broker_process import Process, message, open_broker

DEADLINE_SECONDS = 30


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds; fails after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


class Inbox:
    """A handler that keeps what it gets and answers as told."""

    def __init__(self, answer: Callable[[Message], Disposition] | None = None) -> None:
        """Answer `Done` unless told otherwise."""
        self._answer = answer or (lambda _: Done())
        self.messages: list[Message] = []
        self.at: list[float] = []

    def __call__(self, taken: Message) -> Disposition:
        """Handle a message."""
        self.at.append(time.monotonic())
        self.messages.append(taken)
        return self._answer(taken)

    @property
    def ids(self) -> list[str]:
        """What came, in the order of arrival."""
        return [taken.id for taken in self.messages]

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come."""
        eventually(lambda: len(self.messages) >= count, f"{count} messages came")


class Gate:
    """A handler that holds every message until the gate is opened."""

    def __init__(self) -> None:
        """Begin closed."""
        self.entered: list[str] = []
        self._open = threading.Event()

    def __call__(self, taken: Message) -> Disposition:
        """Hold a message, then be done with it."""
        self.entered.append(taken.id)
        assert self._open.wait(DEADLINE_SECONDS)
        return Done()

    def open(self) -> None:
        """Let all pass."""
        self._open.set()


@contextmanager
def consuming(
    broker: Broker, handler: Handler, *queues: Queue, concurrency: int = 4
) -> Iterator[Consumer]:
    """Run a consumer in a thread; stop it at the end of the block and wait for it."""
    consumer = broker.consumer(
        queues or (Queue.RECORDS,), handler, concurrency=concurrency
    )
    thread = threading.Thread(target=consumer.run)
    thread.start()
    try:
        yield consumer
    finally:
        consumer.stop()
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()


def drain(broker: Broker, count: int, *queues: Queue) -> list[str]:
    """Consume until `count` messages came; return the ids of all that came."""
    inbox = Inbox()
    with consuming(broker, inbox, *queues):
        inbox.wait_for(count)
    return inbox.ids


def ready(broker: Broker) -> dict[str, int]:
    """Return the depths that are not zero."""
    return {name: depth for name, depth in broker.depths().items() if depth}


class BrokerFixture:
    """A broker with empty queues, as `broker`."""

    @pytest.fixture
    def broker(self, url: str) -> Iterator[Broker]:
        """Return the broker under test."""
        broker = open_broker(url)
        broker.declare()
        yield broker
        broker.close()


class PublishingContract(BrokerFixture):
    """What becomes of a message until somebody handles it."""

    def test_a_message_arrives_as_it_was_published(self, broker: Broker) -> None:
        at = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
        sent = messages.failed(message("a"), "remote_unavailable", "503", at=at)
        inbox = Inbox()

        broker.publish(sent)
        with consuming(broker, inbox):
            inbox.wait_for(1)

        assert inbox.messages == [sent]

    def test_a_message_comes_only_to_those_who_consume_its_queue(
        self, broker: Broker
    ) -> None:
        broker.publish(message("pull", Queue.GOOGLE_CHANGES), message("sync"))

        assert drain(broker, 1, Queue.RECORDS) == ["sync"]
        assert drain(broker, 1, Queue.GOOGLE_CHANGES) == ["pull"]

    def test_one_consumer_serves_several_queues(self, broker: Broker) -> None:
        broker.publish(*(message(queue.value, queue) for queue in Queue))

        ids = drain(broker, len(Queue), *Queue)

        assert sorted(ids) == sorted(queue.value for queue in Queue)

    def test_a_published_message_outlives_its_publisher(
        self, broker: Broker, url: str
    ) -> None:
        other = open_broker(url)
        other.publish(message("a"))
        other.close()

        assert drain(broker, 1) == ["a"]

    def test_a_waiting_consumer_gets_a_message_at_once(self, broker: Broker) -> None:
        inbox = Inbox()
        with consuming(broker, inbox):
            broker.publish(message("first"))
            inbox.wait_for(1)

            published_at = time.monotonic()
            broker.publish(message("second"))
            inbox.wait_for(2)

        assert inbox.at[1] - published_at < 0.5

    def test_many_messages_are_published_in_one_call(self, broker: Broker) -> None:
        names = [f"m{number}" for number in range(500)]

        broker.publish(*map(message, names))

        assert sorted(drain(broker, 500)) == sorted(names)

    def test_publishing_nothing_does_nothing(self, broker: Broker) -> None:
        broker.publish()

        assert ready(broker) == {}

    def test_many_threads_publish_at_once(self, broker: Broker) -> None:
        names = [f"m{number}" for number in range(400)]

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda name: broker.publish(message(name)), names))

        assert Counter(drain(broker, 400)) == Counter(names)

    def test_a_delayed_message_waits_and_then_comes_to_its_own_queue(
        self, broker: Broker
    ) -> None:
        inbox = Inbox()
        published_at = time.monotonic()

        broker.publish(message("a", Queue.CRM_CHANGES), delay=Delay.BUSY)
        with consuming(broker, inbox, Queue.CRM_CHANGES):
            inbox.wait_for(1)

        assert 0.9 < inbox.at[0] - published_at < 5

    @pytest.mark.parametrize("delay", Delay)
    def test_every_delay_holds_messages_back(
        self, broker: Broker, delay: Delay
    ) -> None:
        broker.publish(message("a"), delay=delay)

        eventually(lambda: sum(broker.depths().values()) == 1, "it is counted")
        assert Queue.RECORDS.value not in ready(broker)

    def test_the_depths_count_what_is_ready(self, broker: Broker) -> None:
        broker.publish(message("a"), message("b"), message("c", Queue.BACKFILL))

        eventually(lambda: sum(broker.depths().values()) == 3, "all are counted")
        assert ready(broker) == {"records": 2, "backfill": 1}
        assert set(broker.depths()) >= {queue.value for queue in Queue}

    def test_declaring_again_changes_nothing(self, broker: Broker) -> None:
        broker.publish(message("a"))

        broker.declare()

        assert drain(broker, 1) == ["a"]

    def test_a_broker_that_is_away_takes_nothing(self, away_url: str) -> None:
        broker = open_broker(away_url)

        for call in (
            lambda: broker.publish(message("a")),
            broker.declare,
            broker.depths,
            broker.ping,
        ):
            with pytest.raises(errors.BrokerConnectionError):
                call()

        broker.close()

    def test_a_broker_that_is_there_answers(self, broker: Broker) -> None:
        broker.ping()


class ConsumingContract(BrokerFixture):
    """What becomes of a message in the hands of a consumer."""

    def test_what_is_done_is_forgotten(self, broker: Broker) -> None:
        broker.publish(message("a"))
        drain(broker, 1)
        broker.publish(message("b"))

        assert drain(broker, 1) == ["b"]
        assert ready(broker) == {}

    def test_later_brings_back_the_message_that_was_returned(
        self, broker: Broker
    ) -> None:
        second = replace(message("a"), attempt=2)
        inbox = Inbox(
            lambda m: (
                Later(message=second, delay=Delay.BUSY) if m.attempt == 1 else Done()
            )
        )

        broker.publish(message("a"))
        with consuming(broker, inbox):
            inbox.wait_for(2)

        assert inbox.messages == [message("a"), second]
        assert inbox.at[1] - inbox.at[0] > 0.9
        assert ready(broker) == {}

    def test_the_dead_go_to_the_dead_letters_with_their_history(
        self, broker: Broker
    ) -> None:
        at = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
        dead = messages.failed(message("a"), "mapping", "no start", at=at)
        morgue = Inbox()

        broker.publish(message("a"))
        with (
            consuming(broker, Inbox(lambda _: Dead(message=dead))),
            consuming(broker, morgue, Queue.DEAD_LETTERS),
        ):
            morgue.wait_for(1)

        assert morgue.messages == [dead]
        assert ready(broker) == {}

    def test_a_handler_that_always_breaks_ends_in_the_dead_letters(
        self, broker: Broker
    ) -> None:
        def fail(_: Message) -> Disposition:
            raise LookupError

        inbox, morgue = Inbox(fail), Inbox()

        broker.publish(message("a", Queue.CRM_CHANGES))
        with (
            consuming(broker, inbox, Queue.CRM_CHANGES),
            consuming(broker, morgue, Queue.DEAD_LETTERS),
        ):
            morgue.wait_for(1)

        assert inbox.ids == ["a"] * (1 + DELIVERY_LIMIT)
        [dead] = morgue.messages
        assert replace(dead, failures=()) == message("a", Queue.CRM_CHANGES)
        assert [failure.reason for failure in dead.failures] == ["delivery_limit"]

    def test_a_handler_that_broke_once_gets_the_message_again(
        self, broker: Broker
    ) -> None:
        failures = iter([LookupError])

        def fail_once(_: Message) -> Disposition:
            for failure in failures:
                raise failure
            return Done()

        inbox = Inbox(fail_once)

        broker.publish(message("a"))
        with consuming(broker, inbox):
            inbox.wait_for(2)

        assert inbox.messages == [message("a")] * 2
        assert ready(broker) == {}

    def test_a_broken_handler_of_dead_letters_loses_none_and_does_not_spin(
        self, broker: Broker
    ) -> None:
        def fail(_: Message) -> Disposition:
            raise LookupError

        inbox = Inbox(fail)

        broker.publish(message("a", Queue.DEAD_LETTERS))
        with consuming(broker, inbox, Queue.DEAD_LETTERS):
            inbox.wait_for(1)
            eventually(lambda: ready(broker), "it waits for another try")

        assert inbox.ids == ["a"]
        assert list(ready(broker).values()) == [1]
        assert Queue.DEAD_LETTERS.value not in ready(broker)

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            (b"", ""),
            (b"hello", "hello"),
            (b'{"id": "a"}', '{"id": "a"}'),
            (b"\xff\x00\xfe", "\\xff\x00\\xfe"),
            (b"[" * 100_000, "[" * 4096),
        ],
        ids=["empty", "text", "incomplete", "binary", "deep"],
    )
    def test_what_is_no_message_goes_to_the_dead_letters(
        self,
        broker: Broker,
        put: Callable[[Queue, bytes], None],
        body: bytes,
        shown: str,
    ) -> None:
        inbox, morgue = Inbox(), Inbox()

        put(Queue.RECORDS, body)
        broker.publish(message("good"))
        with (
            consuming(broker, inbox),
            consuming(broker, morgue, Queue.DEAD_LETTERS),
        ):
            inbox.wait_for(1)
            morgue.wait_for(1)

        assert inbox.ids == ["good"]
        [dead] = morgue.messages
        assert (dead.queue, dead.subject) == (Queue.RECORDS, Unreadable(body=shown))
        assert [failure.reason for failure in dead.failures] == ["message_decode"]
        assert ready(broker) == {}

    def test_no_more_handlers_run_at_once_than_allowed(self, broker: Broker) -> None:
        gate = Gate()
        broker.publish(*(message(f"m{number}") for number in range(12)))

        with consuming(broker, gate, concurrency=3):
            eventually(lambda: len(gate.entered) >= 3, "three handlers run")
            entered = list(gate.entered)
            gate.open()
            eventually(lambda: len(gate.entered) == 12, "all were handled")

        assert len(entered) == 3

    def test_a_long_queue_does_not_hold_up_the_others(self, broker: Broker) -> None:
        broker.publish(*(message(f"m{n}", Queue.BACKFILL) for n in range(200)))
        broker.publish(message("urgent", Queue.RECORDS))
        inbox = Inbox()

        with consuming(broker, inbox, Queue.BACKFILL, Queue.RECORDS, concurrency=1):
            eventually(lambda: "urgent" in inbox.ids, "the urgent one is handled")

        assert inbox.ids.index("urgent") < 20

    def test_consumers_share_the_work_and_do_none_twice(
        self, broker: Broker, url: str
    ) -> None:
        names = [f"m{number}" for number in range(300)]
        inbox, other_inbox = Inbox(), Inbox()
        other = open_broker(url)

        with consuming(broker, inbox), consuming(other, other_inbox):
            broker.publish(*map(message, names))
            eventually(lambda: len(inbox.ids) + len(other_inbox.ids) >= 300, "all came")

        assert Counter(inbox.ids + other_inbox.ids) == Counter(names)
        other.close()


class StoppingContract(BrokerFixture):
    """What becomes of messages when consumers end, in order or not."""

    def test_stopping_lets_handlers_finish(self, broker: Broker) -> None:
        gate = Gate()
        broker.publish(message("a"))

        with consuming(broker, gate) as consumer:
            eventually(lambda: gate.entered, "it has begun")
            consumer.stop()
            broker.publish(message("b"))
            gate.open()

        assert gate.entered == ["a"]
        assert drain(broker, 1) == ["b"]

    def test_stopping_gives_back_what_has_not_begun(self, broker: Broker) -> None:
        gate = Gate()
        names = [f"m{number}" for number in range(6)]
        broker.publish(*map(message, names))

        with consuming(broker, gate, concurrency=2) as consumer:
            eventually(lambda: len(gate.entered) == 2, "two have begun")
            consumer.stop()
            gate.open()

        rest = drain(broker, 6 - len(gate.entered))
        assert Counter(gate.entered + rest) == Counter(names)

    def test_a_consumer_that_was_stopped_before_it_ran_takes_nothing(
        self, broker: Broker
    ) -> None:
        inbox = Inbox()
        broker.publish(message("a"))
        consumer = broker.consumer([Queue.RECORDS], inbox, concurrency=1)

        consumer.stop()
        consumer.run()

        assert inbox.ids == []
        assert drain(broker, 1) == ["a"]

    def test_what_a_killed_consumer_had_in_hand_comes_again(
        self, broker: Broker, url: str
    ) -> None:
        broker.publish(message("a"), message("b"))

        with Process("hold", url) as process:
            held = process.line()
            process.kill()

        assert sorted(drain(broker, 2)) == ["a", "b"]
        assert held in {"a", "b"}

    def test_a_consumer_stops_on_a_signal(self, broker: Broker, url: str) -> None:
        with Process("consume", url) as process:
            assert process.line() == "ready"
            broker.publish(message("a"))
            assert process.line() == "a"
            process.terminate()

            assert process.lines() == []

    def test_nothing_is_lost_while_consumers_come_and_go(self, broker: Broker) -> None:
        names = [f"m{number}" for number in range(300)]
        inbox = Inbox()

        def publish() -> None:
            for name in names:
                broker.publish(message(name))

        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(publish)
            while not publishing.done():
                seen = len(inbox.ids)
                with consuming(broker, inbox):
                    inbox.wait_for(min(seen + 1, len(names)))
            publishing.result()
        with consuming(broker, inbox):
            eventually(lambda: set(inbox.ids) == set(names), "all came")

        assert ready(broker) == {}

    def test_a_forked_process_publishes_on_its_own_connection(
        self, broker: Broker, url: str
    ) -> None:
        with Process("fork", url) as process:
            assert process.lines() == ["0"]

        assert sorted(drain(broker, 3)) == ["after", "before", "child"]
