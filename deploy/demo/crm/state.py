"""Everything the simulated CRM remembers, in memory and written through to a file.

Values are frozen; a transaction collects new ones and applies them together, so that a
refused request leaves no trace. Webhooks to come are written in the same commit as the
change that they tell of.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from deploy.demo import storage
from deploy.demo.crm import model

_COUNTERS = "counters"
_CLEARED = ("task", "creation", "notification", "delivery")

Listener: TypeAlias = Callable[[list[model.Delivery]], None]
"""Takes the webhooks that a commit has to send."""


class State:
    """Users, keys, tasks, messages and webhooks to come; hold `lock` to read.

    `tasks` stand in the order in which they last changed.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file; without a path everything stays in memory."""
        self.lock = threading.RLock()
        self.users: dict[str, model.User] = {}
        self.keys: dict[str, model.ApiKey] = {}
        self.tasks: dict[str, model.Task] = {}
        self.creations: dict[str, model.Creation] = {}
        self.notifications: dict[int, model.Notification] = {}
        self.deliveries: dict[str, model.Delivery] = {}
        self.sequence = 0
        self.last_stamp = ""
        self._holders: dict[str, set[str]] = {}
        self._listener: Listener = lambda _: None
        self._storage = storage.Storage(path)
        self._load()

    def listen(self, listener: Listener) -> None:
        """Hand the webhooks of each commit to `listener`."""
        self._listener = listener

    def list_users(self) -> list[model.User]:
        """Return all users, in the order of their ids."""
        with self.lock:
            return sorted(self.users.values(), key=lambda user: user.id)

    def pending(self) -> list[model.Delivery]:
        """Return the webhooks that have not arrived, oldest first."""
        with self.lock:
            return sorted(self.deliveries.values(), key=lambda d: d.number)

    def holder(self, google_event_id: str) -> model.Task | None:
        """Return the living task that stores an event id."""
        found = self._holders.get(google_event_id, set())
        living = (self.tasks[i] for i in found if not self.tasks[i].deleted)
        return next(living, None)

    @contextlib.contextmanager
    def transaction(self, now: datetime) -> Iterator["Transaction"]:
        """Hold the lock for a block whose changes are applied when it ends well."""
        with self.lock:
            # The order of changes never runs backwards, even when the clock does.
            stamp = max(model.timestamp(now), self.last_stamp)
            transaction = Transaction(self, stamp)
            yield transaction
            for record in transaction.records:
                self._add(record)
            self._commit(stamp)
            sent = transaction.deliveries
        if sent:
            self._listener(sent)

    def forget(self, *deliveries: model.Delivery) -> None:
        """Drop webhooks that have arrived, or never will."""
        with self.lock:
            for delivery in deliveries:
                self.deliveries.pop(delivery.id, None)
                self._storage.delete("delivery", delivery.id)
            self._storage.commit()

    def drop_notification(self, number: int) -> None:
        """Forget a message, if there is one of that number."""
        with self.lock:
            self.notifications.pop(number, None)
            self._storage.delete("notification", _padded(number))
            self._storage.commit()

    def clear_notifications(self) -> None:
        """Forget the messages to users."""
        with self.lock:
            self.notifications.clear()
            self._storage.drop("notification")
            self._storage.commit()

    def clear(self) -> None:
        """Forget all but the users and the keys."""
        with self.lock:
            for kept in (self.tasks, self.creations, self.deliveries, self._holders):
                kept.clear()
            self.notifications.clear()
            for kind in _CLEARED:
                self._storage.drop(kind)
            self._storage.commit()

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._storage.close()

    def _commit(self, stamp: str) -> None:
        self.last_stamp = stamp
        counters = {"sequence": self.sequence, "last_stamp": stamp}
        self._storage.save(_COUNTERS, "", counters)
        self._storage.commit()

    def _add(self, record: model.Record) -> None:
        kind, key = self._place(record)
        self._storage.save(kind, key, record.to_json())

    def _place(self, record: model.Record) -> tuple[str, str]:
        match record:
            case model.Task():
                self._place_task(record)
                return "task", record.id
            case model.User():
                self.users[record.id] = record
                return "user", record.id
            case model.ApiKey():
                self.keys[record.key] = record
                return "key", record.key
            case model.Creation():
                self.creations[record.key] = record
                return "creation", record.key
            case model.Notification():
                self.notifications[record.number] = record
                return "notification", _padded(record.number)
            case model.Delivery():
                self.deliveries[record.id] = record
                return "delivery", record.id
            case _:
                pass
        message = f"nowhere to keep a {type(record).__name__}"
        raise TypeError(message)

    def _place_task(self, task: model.Task) -> None:
        before = self.tasks.pop(task.id, None)
        if before and before.google_event_id:
            self._holders[before.google_event_id].discard(task.id)
        self.tasks[task.id] = task
        if task.google_event_id:
            self._holders.setdefault(task.google_event_id, set()).add(task.id)

    def _load(self) -> None:
        for kind, record in (
            ("user", model.User),
            ("key", model.ApiKey),
            ("creation", model.Creation),
            ("notification", model.Notification),
            ("delivery", model.Delivery),
        ):
            for document in self._storage.load(kind):
                self._place(record.from_json(document))
        tasks = map(model.Task.from_json, self._storage.load("task"))
        for task in sorted(tasks, key=lambda task: task.position):
            self._place(task)
        for counters in self._storage.load(_COUNTERS):
            self.sequence = counters["sequence"]
            self.last_stamp = counters["last_stamp"]


def _padded(number: int) -> str:
    return f"{number:012}"


class Transaction:
    """Changes to come, all of one moment."""

    def __init__(self, state: State, stamp: str) -> None:
        """Start without changes."""
        self.state = state
        self.stamp = stamp
        self.records: list[model.Record] = []
        self.deliveries: list[model.Delivery] = []

    def add(self, record: model.Record) -> None:
        """Add or replace a value."""
        self.records.append(record)

    def send(self, delivery: model.Delivery) -> None:
        """Keep a webhook, to be sent once the changes are applied."""
        self.records.append(delivery)
        self.deliveries.append(delivery)

    def next_number(self) -> int:
        """Return a number that is higher than all before."""
        self.state.sequence += 1
        return self.state.sequence
