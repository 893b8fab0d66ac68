"""What people and timers do, one kind after the other, to see what each kind costs.

Each kind is done many times, slowly enough that nothing is put together with something
else, as it is when many users each do little.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg2

from tests.e2e.system import Person, System
from tests.e2e.test_scenario import START, new_event, new_task

PEOPLE = 20
TIMES = 100
OCCURRENCES = 13
"""A weekly series has so many in a window of 90 days."""

_PACE = 4.0
"""Changes a second; everybody makes one in five seconds."""

_ROUNDS = 10
_ROUND_PACE = 0.25


def kinds(system: System) -> dict[str, "Chore"]:
    """Return all that is done, by its name, in the order to do it in."""
    desk = _Desk(system, [system.newcomer(f"sizing{n}") for n in range(PEOPLE)])
    return {
        "task made": Chore(desk.make_task, asked=1),
        "task edited": Chore(desk.edit_task, asked=1),
        "task deleted": Chore(desk.delete_task, asked=1),
        "event made": Chore(desk.make_event),
        "event edited": Chore(desk.edit_event),
        "event deleted": Chore(desk.delete_event),
        "series made": Chore(desk.make_series, times=PEOPLE, pace=0.5),
        "poll": _timed(system, _POLL),
        "window moved": _timed(system, _MOVE),
        "channel renewed": _timed(system, _RENEW),
    }


def _timed(system: System, statement: str) -> "Chore":
    """Return what the timers do for everybody, brought about in the database."""

    def bring_about(_number: int) -> None:
        with cursor_of(system) as cursor:
            cursor.execute(statement)

    return Chore(bring_about, times=_ROUNDS, pace=_ROUND_PACE, pieces=PEOPLE)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that is done again and again, `pace` times a second."""

    do: Callable[[int], None]
    times: int = TIMES
    pace: float = _PACE
    pieces: int = 1
    """So much is done each time."""
    asked: int = 0
    """How many requests people make at the CRM each time."""

    def __call__(self) -> int:
        """Do it so many times; return how many pieces that were."""
        began = time.monotonic()
        for number in range(self.times):
            time.sleep(max(0.0, began + number / self.pace - time.monotonic()))
            self.do(number)
        return self.times * self.pieces


@dataclass(slots=True)
class _Desk:
    """People who do one kind of work after the other."""

    system: System
    people: Sequence[Person]
    tasks: list[str] = field(default_factory=list)
    """Made in the CRM."""
    events: list[tuple[Person, str]] = field(default_factory=list)
    """Made in Google."""

    def make_task(self, number: int) -> None:
        """Make a task in the CRM."""
        body = new_task(self._who(number), f"Sizing task {number}", **_PLACE)
        self.tasks.append(self.system.crm_call("POST", "/tasks", body)["id"])

    def edit_task(self, number: int) -> None:
        """Edit a task in the CRM."""
        body = {"due_at": _later(number).isoformat()}
        self.system.crm_call("PATCH", f"/tasks/{self.tasks[number]}", body)

    def delete_task(self, number: int) -> None:
        """Delete a task in the CRM."""
        self.system.crm_call("DELETE", f"/tasks/{self.tasks[number]}")

    def make_event(self, number: int) -> None:
        """Make an event in Google."""
        self._insert(self._who(number), new_event(f"Sizing event {number}", **_PLACE))

    def edit_event(self, number: int) -> None:
        """Move an event in Google."""
        person, event_id = self.events[number]
        body = new_event(f"Sizing event {number}", _later(number))
        self.system.google_call(person, "PATCH", f"/{event_id}", body)

    def delete_event(self, number: int) -> None:
        """Delete an event in Google."""
        person, event_id = self.events[number]
        self.system.google_call(person, "DELETE", f"/{event_id}")

    def make_series(self, number: int) -> None:
        """Make a weekly series in Google."""
        rule = [f"RRULE:FREQ=WEEKLY;COUNT={OCCURRENCES}"]
        event = new_event(f"Sizing series {number}", recurrence=rule, **_PLACE)
        self._insert(self._who(number), event)

    def _insert(self, person: Person, event: dict[str, Any]) -> None:
        made = self.system.google_call(person, "POST", body=event)
        self.events.append((person, made["id"]))

    def _who(self, number: int) -> Person:
        return self.people[number % len(self.people)]


@contextmanager
def cursor_of(system: System) -> Iterator[psycopg2.extensions.cursor]:
    """Yield a cursor on the product's database, outside of transactions."""
    with closing(psycopg2.connect(system.environment()["DATABASE_URL"])) as connection:
        connection.autocommit = True
        yield connection.cursor()


def _later(number: int) -> datetime:
    return START + timedelta(hours=1 + number % 50)


_PLACE: dict[str, Any] = {
    "location": "Room 7",
    "description": "What we said we would talk about.",
}
_POLL = """
    UPDATE organizations SET crm_polled_at = now() - interval '1 day';
    UPDATE calendars SET polled_at = now() - interval '1 day'
"""
_MOVE = "UPDATE calendars SET moved_on_at = now() - interval '1 day'"
_RENEW = "UPDATE channels SET renew_at = now() WHERE state = 'open'"
