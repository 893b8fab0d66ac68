"""Everything the simulator remembers, kept in memory and written through to a file.

Values are frozen; a transaction collects new ones and applies them together, so that a
refused request leaves no trace.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from deploy.demo import storage
from deploy.demo.google import model, rows

_COUNTERS = "counters"

Listener: TypeAlias = Callable[[frozenset[str], int], None]
"""Takes the ids of the calendars that changed and the number of the last change."""


class State:
    """Accounts, calendars, events, channels and mails; hold `lock` to read."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file; without a path everything stays in memory."""
        self.lock = threading.RLock()
        self.accounts: dict[str, model.Account] = {}
        self.calendars: dict[str, model.Calendar] = {}
        self.memberships: dict[tuple[str, str], model.Membership] = {}
        self.channels: dict[str, model.Channel] = {}
        self.mails: list[model.Mail] = []
        self.sequence = 0
        self.stamp = 0
        self._events: dict[str, rows.Rows] = {}
        self._listeners: list[Listener] = []
        self._storage = storage.Storage(path)
        self._load()

    def rows(self, calendar_id: str) -> rows.Rows:
        """Return the events of a calendar."""
        return self._events.setdefault(calendar_id, rows.Rows())

    def listen(self, listener: Listener) -> None:
        """Call `listener` after each commit that changed events."""
        self._listeners.append(listener)

    def list_accounts(self) -> list[model.Account]:
        """Return all accounts."""
        with self.lock:
            return list(self.accounts.values())

    def list_mails(self) -> list[model.Mail]:
        """Return all mails, oldest first."""
        with self.lock:
            return list(self.mails)

    def calendar_of(self, address: str) -> model.Calendar | None:
        """Return the calendar of a person's address, however that is written."""
        if known := self.calendars.get(address):
            return known
        folded = address.casefold()
        found = (c for c in self.calendars.values() if c.id.casefold() == folded)
        return next(found, None)

    @contextlib.contextmanager
    def transaction(self, now: datetime) -> Iterator["Transaction"]:
        """Hold the lock for a block whose changes are applied when it ends well."""
        with self.lock:
            # No two transactions share a stamp, even when the clock stands still.
            transaction = Transaction(
                self,
                now=model.micros(now),
                stamp=max(model.micros(now), self.stamp + 1),
            )
            yield transaction
            touched = self._apply(transaction)
            number = self.sequence
        if touched:
            for listener in self._listeners:
                listener(touched, number)

    def clear(self) -> None:
        """Forget all but the accounts with their primary calendars, now empty."""
        with self.lock:
            self.mails.clear()
            self.channels.clear()
            self._events.clear()
            for kind in ("event", "mail", "channel", "calendar", "membership"):
                self._storage.drop(kind)
            primary = [c for c in self.calendars.values() if not c.is_secondary]
            kept = [m for m in self.memberships.values() if m.account == m.calendar_id]
            self.calendars.clear()
            self.memberships.clear()
            for calendar in primary:
                epoch = calendar.token_epoch + 1
                self._add(dataclasses.replace(calendar, token_epoch=epoch))
            for membership in kept:
                self._add(membership)
            self._storage.commit()

    def clear_mails(self) -> None:
        """Forget the mails."""
        with self.lock:
            self.mails.clear()
            self._storage.drop("mail")
            self._storage.commit()

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._storage.close()

    def _apply(self, transaction: "Transaction") -> frozenset[str]:
        for copy in transaction.events():
            self.sequence += 1
            self._add(dataclasses.replace(copy, changed=self.sequence))
        for record in transaction.records:
            self._add(self._number(record))
        if transaction.is_empty:
            return frozenset()
        self.stamp = transaction.stamp
        counters = {"sequence": self.sequence, "stamp": self.stamp}
        self._storage.save(_COUNTERS, "", counters)
        self._storage.commit()
        return frozenset(copy.calendar_id for copy in transaction.events())

    def _number(self, record: model.Record) -> model.Record:
        self.sequence += 1
        if isinstance(record, model.Membership | model.Account):
            return dataclasses.replace(record, changed=self.sequence)
        if isinstance(record, model.Mail):
            return dataclasses.replace(record, id=self.sequence)
        return record

    def _add(self, record: model.Record) -> None:
        kind, key = self._place(record)
        self._storage.save(kind, key, record.to_json())

    def _place(self, record: model.Record) -> tuple[str, str]:
        match record:
            case model.EventCopy():
                self.rows(record.calendar_id).put(record)
                return "event", f"{record.calendar_id}\n{record.id}"
            case model.Calendar():
                self.calendars[record.id] = record
                return "calendar", record.id
            case model.Membership():
                self.memberships[record.account, record.calendar_id] = record
                return "membership", f"{record.account}\n{record.calendar_id}"
            case model.Account():
                self.accounts[record.address] = record
                return "account", record.address
            case model.Channel():
                self.channels[record.id] = record
                return "channel", record.id
            case model.Mail():
                self.mails.append(record)
                return "mail", f"{record.id:012}"
            case _:
                pass
        message = f"nowhere to keep a {type(record).__name__}"
        raise TypeError(message)

    def _load(self) -> None:
        for kind, record in (
            ("account", model.Account),
            ("calendar", model.Calendar),
            ("membership", model.Membership),
            ("channel", model.Channel),
            ("mail", model.Mail),
        ):
            for document in self._storage.load(kind):
                self._place(record.from_json(document))
        events = map(model.EventCopy.from_json, self._storage.load("event"))
        for copy in sorted(events, key=lambda copy: copy.changed):
            self._place(copy)
        for counters in self._storage.load(_COUNTERS):
            self.sequence, self.stamp = counters["sequence"], counters["stamp"]


class Transaction:
    """Changes to come; reading through it sees them already."""

    def __init__(self, state: State, *, now: int, stamp: int) -> None:
        """Start without changes; `now` and `stamp` are microseconds."""
        self.state = state
        self.now = now
        self.stamp = stamp
        self.records: list[model.Record] = []
        self._events: dict[tuple[str, str], model.EventCopy] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return not self._events and not self.records

    def get(self, calendar_id: str, event_id: str) -> model.EventCopy | None:
        """Return an event copy as it will be."""
        pending = self._events.get((calendar_id, event_id))
        return pending or self.state.rows(calendar_id).get(event_id)

    def exceptions(self, calendar_id: str, series_id: str) -> list[model.EventCopy]:
        """Return the exceptions of a series as they will be."""
        stored = self.state.rows(calendar_id).exceptions(series_id)
        found = {copy.id: copy for copy in stored}
        for copy in self._events.values():
            if copy.calendar_id == calendar_id and copy.series_id == series_id:
                found[copy.id] = copy
        return list(found.values())

    def put(self, copy: model.EventCopy) -> model.EventCopy:
        """Add or replace an event copy, stamped with this transaction."""
        stamped = dataclasses.replace(copy, stamp=self.stamp)
        self._events.pop((copy.calendar_id, copy.id), None)
        self._events[copy.calendar_id, copy.id] = stamped
        return stamped

    def add(self, record: model.Record) -> None:
        """Add or replace any other value."""
        self.records.append(record)

    def events(self) -> list[model.EventCopy]:
        """Return the event copies to come, in the order of their last `put`."""
        return list(self._events.values())
