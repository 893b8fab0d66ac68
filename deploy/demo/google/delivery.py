"""How push notifications travel: over HTTP with retries, or collected by a test."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import requests

_log = logging.getLogger(__name__)

TAKEN = frozenset(
    {
        HTTPStatus.OK,
        HTTPStatus.CREATED,
        HTTPStatus.ACCEPTED,
        HTTPStatus.NO_CONTENT,
        HTTPStatus.PROCESSING,
    }
)
"""The answers that count as received (fact 156)."""

RETRIED = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""The answers after which Google tries again (fact 156)."""

_THREADS = 8
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One push message: a POST without a body."""

    address: str
    headers: Mapping[str, str]


class Sender(Protocol):
    """Takes notifications to their addresses."""

    def send(self, notification: Notification, *, delay_seconds: float = 0) -> None:
        """Deliver later, without waiting."""

    def send_now(self, notification: Notification) -> None:
        """Deliver before returning, or give up."""

    def close(self) -> None:
        """Stop; what is not delivered yet is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Seconds between attempts: doubling from `first`, at most `attempts` in all."""

    first: float = 1.0
    most: float = 60.0
    attempts: int = 12

    def after(self, attempt: int) -> float | None:
        """Return the wait after a failed attempt (counted from 1), or None to stop."""
        if attempt >= self.attempts:
            return None
        return float(min(self.most, self.first * 2 ** (attempt - 1)))


class HttpSender:
    """Posts notifications from background threads; a 5xx is tried again."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        """Start the thread that keeps the times."""
        self._backoff = backoff or Backoff()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="push")
        self._local = threading.local()
        self._wakeup = threading.Condition()
        self._waiting: list[tuple[float, int, int, Notification]] = []
        self._order = itertools.count()
        self._is_closed = False
        self._timer = threading.Thread(target=self._keep_time, daemon=True)
        self._timer.start()

    def send(self, notification: Notification, *, delay_seconds: float = 0) -> None:
        """Deliver later, without waiting."""
        self._schedule(notification, 1, delay_seconds)

    def send_now(self, notification: Notification) -> None:
        """Deliver before returning, or give up."""
        self._post(notification)

    def close(self) -> None:
        """Stop; what is not delivered yet is lost."""
        with self._wakeup:
            self._is_closed = True
            self._wakeup.notify()
        self._timer.join()
        self._pool.shutdown(cancel_futures=True)

    def _schedule(
        self, notification: Notification, attempt: int, delay_seconds: float
    ) -> None:
        due = time.monotonic() + delay_seconds
        with self._wakeup:
            entry = (due, next(self._order), attempt, notification)
            heapq.heappush(self._waiting, entry)
            self._wakeup.notify()

    def _keep_time(self) -> None:
        while True:
            with self._wakeup:
                if self._is_closed:
                    return
                wait = None
                if self._waiting:
                    wait = self._waiting[0][0] - time.monotonic()
                if wait is None or wait > 0:
                    self._wakeup.wait(wait)
                    continue
                _, _, attempt, notification = heapq.heappop(self._waiting)
                self._pool.submit(self._attempt, notification, attempt)

    def _attempt(self, notification: Notification, attempt: int) -> None:
        if self._post(notification) not in RETRIED:
            return
        delay = self._backoff.after(attempt)
        if delay is not None and not self._is_closed:
            self._schedule(notification, attempt + 1, delay)

    def _post(self, notification: Notification) -> int:
        try:
            answer = self._session().post(
                notification.address,
                headers=dict(notification.headers),
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            _log.debug("A push did not arrive: %s", type(error).__name__)
            return HTTPStatus.SERVICE_UNAVAILABLE
        return answer.status_code

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.trust_env = False
            self._local.session = session
        found: requests.Session = self._local.session
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A notification that waits for its test; it is due after the delay."""

    notification: Notification
    delay_seconds: float


class CollectingSender:
    """Keeps notifications until a test delivers them."""

    def __init__(self) -> None:
        """Start with none."""
        self.waiting: list[Collected] = []
        self.sent_at_once: list[Notification] = []

    def send(self, notification: Notification, *, delay_seconds: float = 0) -> None:
        """Keep a notification."""
        collected = Collected(notification=notification, delay_seconds=delay_seconds)
        self.waiting.append(collected)

    def send_now(self, notification: Notification) -> None:
        """Keep a notification that had to arrive at once."""
        self.sent_at_once.append(notification)

    def take(self) -> list[Notification]:
        """Return what waits, and forget it."""
        taken = [collected.notification for collected in self.waiting]
        self.waiting.clear()
        return taken

    def deliver(self, receive: Callable[[Notification], int]) -> None:
        """Hand over all that waits; what is answered with a 5xx waits again."""
        for notification in self.take():
            if receive(notification) in RETRIED:
                self.send(notification)

    def close(self) -> None:
        """Do nothing: there is no thread to stop."""
