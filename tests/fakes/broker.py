"""A broker in memory (`ports.Broker`), and the time that messages wait."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from shared.domain import errors, messages, ports
from shared.domain.messages import Delay, Message, Queue
from shared.domain.ports import Dead, Done, Later

_MANY = 1000
"""More messages than any story has: one of them sends itself for ever."""


class InMemoryBroker:
    """Keeps what is published until `run` hands it to a handler.

    Messages go through their stored form, so that what cannot travel fails here too.
    """

    def __init__(self, clock: ports.Clock) -> None:
        """Begin without messages."""
        self.dead: list[Message] = []
        self.handled: list[Message] = []
        self.consumers: list[InMemoryConsumer] = []
        self.is_away = False
        self._clock = clock
        self._waiting: list[tuple[datetime, bytes]] = []

    # -- the port -----------------------------------------------------------------

    def declare(self) -> None:
        """Do nothing: all queues are there."""

    def publish(self, *published: Message, delay: Delay | None = None) -> None:
        """Keep messages; raises `BrokerConnectionError` while `is_away`."""
        if self.is_away:
            raise errors.BrokerConnectionError
        seconds = delay.seconds if delay else 0
        due_at = self._clock.now() + timedelta(seconds=seconds)
        self._waiting += [(due_at, messages.encode(m)) for m in published]

    def consumer(
        self, queues: Sequence[Queue], handler: ports.Handler, *, concurrency: int
    ) -> ports.Consumer:
        """Return a consumer that only remembers what it was made of."""
        made = InMemoryConsumer(queues, handler, concurrency)
        self.consumers.append(made)
        return made

    def depths(self) -> Mapping[str, int]:
        """Count the messages of each queue."""
        return Counter(messages.decode(body).queue for _, body in self._waiting)

    def ping(self) -> None:
        """Raise while `is_away`."""
        if self.is_away:
            raise errors.BrokerConnectionError

    def close(self) -> None:
        """Do nothing."""

    # -- what tests do ------------------------------------------------------------

    def waiting(self) -> list[Message]:
        """Return all messages, oldest first, also those whose time has not come."""
        return [messages.decode(body) for _, body in self._waiting]

    def lose(self) -> list[Message]:
        """Take away all messages and return them."""
        lost, self._waiting = self.waiting(), []
        return lost

    def lose_one(self, kinds: tuple[type[messages.Subject], ...], pick: int) -> None:
        """Take away one message of these kinds, if there is any."""
        found = [
            place
            for place, message in enumerate(self.waiting())
            if isinstance(message.subject, kinds)
        ]
        if found:
            del self._waiting[found[pick % len(found)]]

    def double(self, pick: int) -> None:
        """Let one of the messages come twice, if there is any."""
        if self._waiting:
            self._waiting.append(self._waiting[pick % len(self._waiting)])

    def wait_seconds(self) -> float:
        """Return how long until the next message is due; 0 when none waits."""
        now = self._clock.now()
        waits = [(at - now).total_seconds() for at, _ in self._waiting]
        return max(0.0, min(waits, default=0.0))

    def run(self, handler: ports.Handler, pick: Callable[[int], int] = int) -> None:
        """Hand over what is due, until nothing is; `pick` chooses which comes next.

        A message whose handler does not return is delivered again in the next run.
        """
        for _ in range(_MANY):
            if not self.hand_over(handler, pick):
                return
        text = "messages went on for ever"
        raise AssertionError(text)

    def hand_over(
        self, handler: ports.Handler, pick: Callable[[int], int] = int
    ) -> bool:
        """Hand over one message that is due, if there is any."""
        return self._hand_over(handler, self._ready(), pick)

    def hand_over_of(self, queues: Collection[Queue], handler: ports.Handler) -> bool:
        """Hand over the first message of some queues that is due, if there is any."""
        waiting = self.waiting()
        ready = [i for i in self._ready() if waiting[i].queue in queues]
        return self._hand_over(handler, ready, int)

    def _ready(self) -> list[int]:
        now = self._clock.now()
        return [i for i, (at, _) in enumerate(self._waiting) if at <= now]

    def _hand_over(
        self, handler: ports.Handler, ready: Sequence[int], pick: Callable[[int], int]
    ) -> bool:
        if not ready:
            return False
        index = ready[pick(len(ready)) % len(ready)]
        at, body = self._waiting.pop(index)
        message = messages.decode(body)
        self.handled.append(message)
        try:
            disposition = handler(message)
        except BaseException:
            self._waiting.insert(index, (at, body))
            raise
        self._carry_out(disposition)
        return True

    def _carry_out(self, disposition: ports.Disposition) -> None:
        match disposition:
            case Done():
                pass
            case Later(message=again, delay=delay):
                self.publish(again, delay=delay)
            case Dead(message=dead):
                self.dead.append(dead)


class InMemoryConsumer:
    """What somebody wanted to consume."""

    def __init__(
        self, queues: Sequence[Queue], handler: ports.Handler, concurrency: int
    ) -> None:
        """Remember it."""
        self.queues = set(queues)
        self.handler = handler
        self.concurrency = concurrency

    def run(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""
