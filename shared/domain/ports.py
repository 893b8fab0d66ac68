"""What the core needs from outside, as the adapters must provide it.

Every method may raise the errors that its docstring names, from `domain.errors`, and no
others: adapters map what their library raises.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.messages import Delay, Message, Queue
from shared.domain.model import Document, User


class Clock(Protocol):
    """The time of day; a parameter, so that tests decide what time it is."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


Instrument = Callable[[str], AbstractContextManager[object]]
"""What an adapter puts around each request; it is told the operation."""


def uninstrumented(_operation: str) -> AbstractContextManager[None]:
    """Let a request pass unseen (an `Instrument`)."""
    return nullcontext()


# -- broker -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The message is handled and can be forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """`message` is to be delivered to the queue it came from after `delay`."""

    message: Message
    delay: Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """`message` failed for good; its last failure says why."""

    message: Message


Disposition = Done | Later | Dead
Handler = Callable[[Message], Disposition]


class Publisher(Protocol):
    """Puts messages into queues."""

    def publish(self, *messages: Message, delay: Delay | None = None) -> None:
        """Return once the broker has confirmed every message as safely stored.

        Several messages are sent before the first confirm is waited for. Safe to call
        from any thread. Raises `BrokerConnectionError` when a confirm does not come or
        a message cannot be routed; some of the messages may have been taken then.
        """
        ...


class Consumer(Protocol):
    """Takes messages out of queues and lets a handler work on them."""

    def run(self) -> None:
        """Consume until `stop` is called; finish what is in hand before returning.

        Reconnects by itself, with growing pauses, when the broker goes away.
        """
        ...

    def stop(self) -> None:
        """Ask `run` to return; safe from any thread and from a signal handler."""
        ...


class Broker(Publisher, Protocol):
    """Durable queues with delays, redelivery and dead letters."""

    def declare(self) -> None:
        """Create the queues that are missing; does nothing when all are there.

        Raises `TopologyError` when an existing queue has other properties and
        `BrokerConnectionError` when the broker cannot be reached.
        """
        ...

    def consumer(
        self, queues: Sequence[Queue], handler: Handler, *, concurrency: int
    ) -> Consumer:
        """Return a consumer that runs `handler` in up to `concurrency` threads.

        What the handler returns is carried out before the message is acknowledged. A
        message whose handler raised, or whose process died, is delivered again, at most
        `DELIVERY_LIMIT` times; then it goes to the dead letters as `delivery_limit`. A
        body that is no message goes there as `message_decode`.
        """
        ...

    def depths(self) -> Mapping[str, int]:
        """Return the number of messages ready in each queue and delay queue.

        Raises `BrokerConnectionError`.
        """
        ...

    def ping(self) -> None:
        """Return if the broker answers; raises `BrokerConnectionError` if not."""
        ...

    def close(self) -> None:
        """Release the connections; the broker is not usable afterwards."""
        ...


DELIVERY_LIMIT = 5


# -- Google -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One page of `events.list`; exactly one of the two tokens is set (fact 2)."""

    events: Sequence[Document]
    time_zone: str
    access_role: str
    next_page_token: str | None = None
    next_sync_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """A calendar in the list of an account; `access_role` as in fact 138."""

    id: str
    summary: str
    time_zone: str
    access_role: str
    is_primary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGrant:
    """Google's answer to `events.watch`; it may end earlier than asked (fact 147)."""

    resource_id: str
    expires_at: datetime


class GoogleCalendar(Protocol):
    """The calendars of one Google account.

    Every method may raise `RemoteUnavailableError`, `RateLimitError`,
    `UsageLimitError`, `RemoteRejectedError`, `RecordNotFoundError` or one of the
    `RemoteAuthError`s. Writes are conditional where `etag` is given: they raise
    `VersionMismatchError` when the event has moved on.
    """

    def list_events(
        self,
        calendar_id: str,
        *,
        sync_token: str | None = None,
        page_token: str | None = None,
        time_min: datetime | None = None,
    ) -> EventPage:
        """Return one page of changes since `sync_token`, or of everything.

        `time_min` bounds the end of events from below and goes only with a full list.
        Raises `SyncTokenExpiredError` when the token is no longer valid.
        """
        ...

    def list_instances(
        self,
        calendar_id: str,
        series_id: str,
        *,
        time_min: datetime,
        time_max: datetime,
    ) -> Sequence[Document]:
        """Return all occurrences of a series in a span, cancelled ones included.

        Those that end at or after `time_min` and start before `time_max` (fact 42);
        `RecordNotFoundError` when there is no such series.
        """
        ...

    def get_event(self, calendar_id: str, event_id: str) -> Document:
        """Return an event; a deleted one has status cancelled (fact 68)."""
        ...

    def insert_event(
        self, calendar_id: str, body: Document, *, send_updates: str
    ) -> Document:
        """Create an event under the id in `body` and return it.

        Raises `DuplicateRecordError` when the id is or was in use (facts 50-51).
        """
        ...

    def patch_event(
        self,
        calendar_id: str,
        event_id: str,
        body: Document,
        *,
        etag: str | None,
        send_updates: str,
    ) -> Document:
        """Change the fields in `body`, leave the others, return the event."""
        ...

    def delete_event(
        self, calendar_id: str, event_id: str, *, etag: str | None, send_updates: str
    ) -> None:
        """Cancel an event; raises `RecordDeletedError` when it already was."""
        ...

    def watch(
        self, calendar_id: str, *, channel_id: str, token: str, ttl: timedelta
    ) -> WatchGrant:
        """Open a watch channel that notifies our push address.

        Raises `RemoteRejectedError` for a calendar that cannot be watched (fact 164).
        """
        ...

    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        """Close a watch channel; one that is already closed is no error."""
        ...

    def list_calendars(self) -> Sequence[CalendarEntry]:
        """Return the calendars the account can see."""
        ...

    def clock_skew(self) -> timedelta | None:
        """How far Google's clock is ahead of ours; None before the first answer."""
        ...


# -- CRM --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """One page of tasks, oldest change first."""

    tasks: Sequence[Document]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message that the CRM shows to a user; `key` makes a second replace it."""

    title: str
    body: str
    link: str
    key: str


class Crm(Protocol):
    """The CRM of one organization (`crm-api.yaml`).

    Every method may raise `RemoteUnavailableError`, `RateLimitError`,
    `RemoteRejectedError` or `RemoteAuthError`.
    """

    def list_tasks(
        self,
        *,
        updated_since: datetime | None = None,
        owner_id: str | None = None,
        due_from: datetime | None = None,
        due_to: datetime | None = None,
        google_event_id: str | None = None,
        cursor: str | None = None,
    ) -> TaskPage:
        """Return one page of tasks; deleted ones only with `updated_since`."""
        ...

    def get_task(self, task_id: str) -> Document:
        """Return a task, deleted or not; raises `RecordNotFoundError` after 30 days."""
        ...

    def create_task(self, body: Document, *, idempotency_key: str) -> Document:
        """Create a task, or return the one created under this key before.

        Raises `DuplicateRecordError` with `existing_id` when another live task holds
        the event id in `body`.
        """
        ...

    def update_task(self, task_id: str, body: Document, *, version: int) -> Document:
        """Change the fields in `body` if the task still has `version`.

        Raises `VersionMismatchError` with the current task, `RecordDeletedError`, or
        `RecordNotFoundError`.
        """
        ...

    def list_users(self) -> Sequence[User]:
        """Return the organization's users, inactive ones included."""
        ...

    def notify(self, user_id: str, notification: Notification) -> None:
        """Show a message to a user."""
        ...

    def clock_skew(self) -> timedelta | None:
        """How far the CRM's clock is ahead of ours; None before the first answer."""
        ...
