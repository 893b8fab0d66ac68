"""A process that uses a broker: `python -m tests.broker_process WHAT URL`."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.fernet import Fernet

from shared.adapters import crypto
from shared.adapters.broker_local import LocalBroker
from shared.adapters.broker_rabbitmq import RabbitBroker
from shared.adapters.store import Store
from shared.domain.messages import Message, Queue, TaskDue, Trigger
from shared.domain.ports import Broker, Clock, Disposition, Done

CLAIM_SECONDS = 2.0
"""How long the local broker's claims last in tests."""

_ROOT = Path(__file__).parent.parent


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


class OwnLocalBroker(LocalBroker):
    """The local broker with a store that nobody else uses."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store."""
        super().__init__(lambda: store.engine, clock, claim_seconds=CLAIM_SECONDS)
        self._store = store

    def close(self) -> None:
        """Close the store as well."""
        super().close()
        self._store.close()


def open_broker(url: str, clock: Clock | None = None) -> Broker:
    """Return the broker at an address: RabbitMQ, or the local one in a database."""
    clock = clock or WallClock()
    if url.startswith("amqp"):
        return RabbitBroker(url, clock)
    store = Store(url, keys=crypto.Keys([Fernet.generate_key().decode()]))
    return OwnLocalBroker(store, clock)


def message(name: str, queue: Queue = Queue.RECORDS) -> Message:
    """Return some message."""
    return Message(
        id=name,
        queue=queue,
        subject=TaskDue(organization_id=1, task_id=name, version=7),
        trigger=Trigger.WEBHOOK,
        queued_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


class Process:
    """Runs this module; killed at the end of the block if it still runs then."""

    def __init__(self, what: str, url: str, *arguments: str) -> None:
        """Start it."""
        self._running = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "tests.broker_process", what, url, *arguments],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Wait for the next line it prints and return it."""
        assert self._running.stdout is not None
        return self._running.stdout.readline().strip()

    def lines(self) -> list[str]:
        """Wait for its end and return what it printed; it must not have complained."""
        output, complaints = self._running.communicate(timeout=60)
        assert (self._running.returncode, complaints) == (0, "")
        return output.splitlines()

    def terminate(self) -> None:
        """Ask it to end, as an operator would."""
        self._running.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._running.kill()
        self._running.communicate(timeout=30)

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it if it still runs."""
        if self._running.poll() is None:
            self.kill()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _hold(broker: Broker) -> None:
    def hold(taken: Message) -> Disposition:
        _say(taken.id)
        threading.Event().wait()
        return Done()

    broker.consumer([Queue.RECORDS], hold, concurrency=1).run()


def _consume(broker: Broker) -> None:
    def handle(taken: Message) -> Disposition:
        _say(taken.id)
        return Done()

    consumer = broker.consumer([Queue.RECORDS], handle, concurrency=4)
    signal.signal(signal.SIGTERM, lambda *_: consumer.stop())
    _say("ready")
    consumer.run()


def _publish(broker: Broker, prefix: str, count: str) -> None:
    for number in range(int(count)):
        broker.publish(message(f"{prefix}-{number}"))


def _fork(broker: Broker) -> None:
    broker.publish(message("before"))
    # Python warns since 3.12 of just this: a fork beside the publisher's thread.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        broker.publish(message("child"))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    broker.publish(message("after"))
    _say(str(status))


_ACTIONS = {"hold": _hold, "consume": _consume, "publish": _publish, "fork": _fork}

if __name__ == "__main__":
    opened = open_broker(sys.argv[2])
    _ACTIONS[sys.argv[1]](opened, *sys.argv[3:])  # type: ignore[operator] # by name
    opened.close()
