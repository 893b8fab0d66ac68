"""How push notifications travel: over HTTP with retries, or collected by a test."""

import functools
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import requests

from deploy.demo import timetable

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


class HttpSender:
    """Posts notifications from background threads; a 5xx is tried again."""

    def __init__(self, backoff: timetable.Backoff | None = None) -> None:
        """Start the threads, which wait for something to post."""
        self._backoff = backoff or timetable.Backoff()
        self._timetable = timetable.Timetable(_THREADS, "push")
        self._local = threading.local()

    def send(self, notification: Notification, *, delay_seconds: float = 0) -> None:
        """Deliver later, without waiting."""
        self._schedule(notification, 1, delay_seconds)

    def send_now(self, notification: Notification) -> None:
        """Deliver before returning, or give up."""
        self._post(notification)

    def close(self) -> None:
        """Stop; what is not delivered yet is lost."""
        self._timetable.close()

    def _schedule(
        self, notification: Notification, attempt: int, delay_seconds: float
    ) -> None:
        call = functools.partial(self._attempt, notification, attempt)
        self._timetable.add(call, delay_seconds=delay_seconds)

    def _attempt(self, notification: Notification, attempt: int) -> None:
        if self._post(notification) not in RETRIED:
            return
        delay = self._backoff.after(attempt)
        if delay is not None:
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
