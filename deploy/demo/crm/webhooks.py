"""Sends webhooks until they arrive, except as far as somebody orders otherwise."""

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from deploy.demo import clock, faults, request_log, timetable
from deploy.demo.crm import model, signing, state

# A receiver that was away hears of it all soon after its return, for a day at least.
BACKOFF = timetable.Backoff(first=1.0, most=30.0, attempts=3000)
NO_ANSWER = 0
_REORDER_STEP_SECONDS = 0.2
_USER_AGENT = "Simulated-CRM-Webhooks/1"


class Post(Protocol):
    """Takes one webhook to its address."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the answer, `NO_ANSWER` when none came."""


class Schedule(Protocol):
    """Makes calls when they are due."""

    def add(self, call: Callable[[], None], *, delay_seconds: float = 0) -> None:
        """Make a call later, without waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where webhooks go, and the secrets in force, several while one is replaced.

    Without an address nothing is sent.
    """

    url: str = ""
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbances:
    """What befalls every so many webhooks: 0 is none of them, 1 is each.

    Of each group of `reorder` webhooks, the first made arrives last.
    """

    lose_every: int = 0
    duplicate_every: int = 0
    reorder: int = 0
    delay_seconds: float = 0


class Outbox:
    """Sends the webhooks of each commit, and those left from the last run."""

    def __init__(
        self,
        held: state.State,
        ticking: clock.Clock,
        *,
        disturbed: faults.Faults,
        schedule: Schedule,
        post: Post,
    ) -> None:
        """Listen to the state from now on."""
        self._state = held
        self._clock = ticking
        self._faults = disturbed
        self._schedule = schedule
        self._post = post
        self._lock = threading.Lock()
        self._count = 0
        self._epoch = 0
        self.attempts = request_log.RequestLog()
        self.subscription = Subscription()
        self.disturbances = Disturbances()
        held.listen(self._accept)

    def resume(self) -> None:
        """Send what had not arrived when the last run ended."""
        for delivery in self._state.pending():
            self._try_later(delivery, 1, 0)

    def forget(self) -> None:
        """Undo all disturbances, and send nothing that waits."""
        with self._lock:
            self._epoch += 1
            self._count = 0
        self.disturbances = Disturbances()
        self.attempts.clear()

    def disturb(self, disturbances: Disturbances) -> None:
        """Do this to webhooks from now on, counting anew."""
        with self._lock:
            self._count = 0
        self.disturbances = disturbances

    def _accept(self, deliveries: list[model.Delivery]) -> None:
        for delivery in deliveries:
            self._dispatch(delivery)

    def _dispatch(self, delivery: model.Delivery) -> None:
        with self._lock:
            number = self._count
            self._count += 1
        ordered = self.disturbances
        is_lost = _befalls(ordered.lose_every, number)
        is_lost = is_lost or self._takes(faults.Disturbance.DROP)
        if is_lost or not self.subscription.url:
            self._state.forget(delivery)
            self._log(delivery, 0, "lost" if is_lost else "unsubscribed")
            return
        if self._takes(faults.Disturbance.BEFORE_RESPONSE):
            self._attempt(delivery, 1, self._epoch)
            return
        delay = ordered.delay_seconds + self._lateness()
        if ordered.reorder:
            place = ordered.reorder - 1 - number % ordered.reorder
            delay += place * _REORDER_STEP_SECONDS
        self._try_later(delivery, 1, delay)
        is_doubled = _befalls(ordered.duplicate_every, number)
        if is_doubled or self._takes(faults.Disturbance.DUPLICATE):
            self._try_later(delivery, 1, delay)

    def _takes(self, kind: faults.Disturbance) -> bool:
        return self._faults.take_notification(kind) is not None

    def _lateness(self) -> float:
        late = self._faults.take_notification(faults.Disturbance.LATE)
        return late.seconds if late else 0

    def _try_later(
        self, delivery: model.Delivery, attempt: int, delay_seconds: float
    ) -> None:
        call = functools.partial(self._attempt, delivery, attempt, self._epoch)
        self._schedule.add(call, delay_seconds=delay_seconds)

    def _attempt(self, delivery: model.Delivery, attempt: int, epoch: int) -> None:
        if epoch != self._epoch:
            return
        status = self._post(
            self.subscription.url,
            self._headers(delivery),
            delivery.body.encode(),
        )
        if epoch != self._epoch:
            return
        has_arrived = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        self._log(delivery, attempt, "arrived" if has_arrived else "failed", status)
        delay = None if has_arrived else BACKOFF.after(attempt)
        if delay is None:
            self._state.forget(delivery)
        else:
            self._try_later(delivery, attempt + 1, delay)

    def _headers(self, delivery: model.Delivery) -> Mapping[str, str]:
        # Each attempt is signed anew: receivers refuse old timestamps.
        timestamp = int(self._clock.now().timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.signature(
                self.subscription.secrets,
                delivery_id=delivery.id,
                timestamp=timestamp,
                body=delivery.body.encode(),
            ),
        }

    def _log(
        self, delivery: model.Delivery, attempt: int, outcome: str, status: int = 0
    ) -> None:
        self.attempts.add(
            {
                "time": model.timestamp(self._clock.now()),
                "webhook_id": delivery.id,
                "type": delivery.type,
                "task_id": delivery.task_id,
                "version": delivery.version,
                "attempt": attempt,
                "outcome": outcome,
                "status": status,
            }
        )


def _befalls(every: int, number: int) -> bool:
    return every > 0 and (number + 1) % every == 0
