"""Consuming: one thread claims messages, handlers run in a pool beside it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.adapters.broker_local.bell import Bell
from shared.adapters.broker_local.claims import Claims
from shared.adapters.broker_local.table import Claimed
from shared.domain import errors, messages, ports
from shared.domain.messages import Delay, Message, Queue
from shared.domain.ports import DELIVERY_LIMIT, Dead, Disposition, Handler, Later

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.04
"""How long an idle consumer waits for the bell before it looks by itself."""

_TROUBLE_SECONDS = 1.0
"""How long it waits when the database is away."""


class LocalConsumer:
    """Claims messages and hands them to a pool of handler threads."""

    def __init__(  # noqa: PLR0913 - composed once, by the broker
        self,
        claims: Claims,
        bell: Bell,
        clock: ports.Clock,
        *,
        queues: Sequence[Queue],
        handler: Handler,
        concurrency: int,
        renew_seconds: float,
    ) -> None:
        """Take whose messages to claim, and how often to renew claims."""
        self._claims = claims
        self._bell = bell
        self._clock = clock
        self._queues = deque(queues)
        self._handler = handler
        self._concurrency = concurrency
        self._renew_seconds = renew_seconds
        self._free = threading.Semaphore(concurrency)
        self._in_hand: set[Claimed] = set()
        # No Event: setting one in a signal handler can wait for itself.
        self._is_stopping = False
        self._finished = threading.Event()

    def stop(self) -> None:
        """Ask `run` to return once the handlers that run have finished."""
        self._is_stopping = True

    def run(self) -> None:
        """Consume until stopped."""
        renewer = threading.Thread(target=self._renew_claims, name="claims")
        renewer.start()
        try:
            with ThreadPoolExecutor(self._concurrency, "handler") as pool:
                while not self._is_stopping:
                    self._consume(pool)
        finally:
            self._finished.set()
            renewer.join()

    def _consume(self, pool: ThreadPoolExecutor) -> None:
        rings = self._bell.rings
        free = self._take_free()
        claimed = self._claim(free) if free else ()
        if free > len(claimed):
            self._free.release(free - len(claimed))
        for one in claimed:
            self._in_hand.add(one)
            pool.submit(self._work, one)
        if free and not claimed:
            self._bell.wait(rings, _POLL_SECONDS)

    def _take_free(self) -> int:
        """Wait a moment for a free handler thread, then take all that are free."""
        taken = int(self._free.acquire(timeout=_POLL_SECONDS))
        while taken and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _claim(self, limit: int) -> Sequence[Claimed]:
        self._queues.rotate(-1)
        try:
            return self._claims.claim(tuple(self._queues), limit)
        except errors.BrokerConnectionError as error:
            log.warning("Could not look for messages: %s", error)
        until = time.monotonic() + _TROUBLE_SECONDS
        while not self._is_stopping and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        return ()

    def _renew_claims(self) -> None:
        while not self._finished.wait(self._renew_seconds):
            claims = list(self._in_hand)
            try:
                if claims:
                    self._claims.renew(claims)
            except errors.BrokerConnectionError as error:
                log.warning("Could not renew the claims in hand: %s", error)

    # -- on a handler's thread ----------------------------------------------------

    def _work(self, claimed: Claimed) -> None:
        try:
            disposition = None if self._is_stopping else self._decide(claimed)
            self._claims.settle(claimed, disposition)
        except errors.BrokerConnectionError as error:
            # The claim runs out, and the message is delivered again.
            log.warning("Could not settle a message: %s", error)
        except Exception:
            log.exception("Left a message to its claim because dealing with it broke")
        finally:
            self._in_hand.discard(claimed)
            self._free.release()

    def _decide(self, claimed: Claimed) -> Disposition | None:
        now = self._clock.now()
        try:
            message = messages.decode(claimed.body)
        except errors.MessageDecodeError:
            name = f"unreadable-{claimed.id}-{now.timestamp()}"
            return Dead(
                message=messages.unreadable(
                    claimed.queue, claimed.body, delivery_id=name, at=now
                )
            )
        is_last_queue = claimed.queue is Queue.DEAD_LETTERS
        if claimed.deliveries > DELIVERY_LIMIT + 1 and not is_last_queue:
            text = f"{DELIVERY_LIMIT} redeliveries ended without an answer"
            message = messages.failed(message, "delivery_limit", text, at=now)
            return Dead(message=message)
        return self._handle(message, claimed.queue)

    def _handle(self, message: Message, queue: Queue) -> Disposition | None:
        try:
            return self._handler(message)
        except Exception:
            log.exception("Gave message %s back because its handler broke", message.id)
        if queue is Queue.DEAD_LETTERS:
            # There is nowhere further to go, so it must not come back at once for ever.
            return Later(message=message, delay=Delay.TEN_SECONDS)
        return None
