"""Files dead letters that wait in their queue, as workers do when they run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.cli.foundation import Foundation
from shared.domain import ports
from shared.domain.messages import Message, Queue
from workers.deaths import Deaths

_LOOK_SECONDS = 0.1


def file_waiting(base: Foundation) -> None:
    """File the dead letters that are in the queue now.

    Workers may be down, or die of the very message: what they leave in the queue is
    there to be seen all the same. Raises `BrokerConnectionError`.
    """
    waiting, filed = _depth(base), 0
    deaths = Deaths(base.store, base.clock)

    def file(message: Message) -> ports.Disposition:
        nonlocal filed
        filed += 1
        return deaths(message)

    while filed < waiting and _depth(base):
        with _consuming(base, file):
            while filed < waiting and _depth(base):
                time.sleep(_LOOK_SECONDS)


@contextmanager
def _consuming(base: Foundation, handler: ports.Handler) -> Iterator[None]:
    consumer = base.broker.consumer([Queue.DEAD_LETTERS], handler, concurrency=1)
    thread = threading.Thread(target=consumer.run, name="filing")
    thread.start()
    try:
        yield
    finally:
        consumer.stop()
        thread.join()


def _depth(base: Foundation) -> int:
    return base.broker.depths()[Queue.DEAD_LETTERS]
