"""Changes on both sides at once, and what must be true of them in the end."""

import itertools
import time
from collections import Counter
from typing import Any

from tests.e2e.system import PEOPLE, Person, System, eventually
from tests.e2e.test_scenario import new_event, new_task

_numbers = itertools.count(1)


class Stream:
    """Changes on both sides, and what must be true of them in the end."""

    def __init__(self, system: System) -> None:
        """Begin without changes; titles differ from those of other streams."""
        self._system = system
        self._name = f"Stream {next(_numbers)}"
        self.made = 0
        """How many meetings were made so far."""
        self.titles: dict[Person, set[str]] = {person: set() for person in PEOPLE}
        self._tasks: list[tuple[Person, dict[str, Any], str]] = []
        self._events: list[tuple[Person, dict[str, Any], str]] = []

    def round(self) -> None:
        """Let everybody make a task and an event, and edit the ones before."""
        self.round_in_crm()
        self.round_in_google()

    def round_in_crm(self) -> None:
        """Let everybody edit the last task and make another."""
        for person, task, title in self._tasks[-len(PEOPLE) :]:
            self._rename(person, title)
            path = f"/tasks/{task['id']}"
            self._system.crm_call("PATCH", path, {"title": f"{title}, edited"})
        for person in PEOPLE:
            title = self._title(person)
            task = self._system.crm_call("POST", "/tasks", new_task(person, title))
            self._tasks.append((person, task, title))

    def round_in_google(self) -> None:
        """Let everybody edit the last event and make another."""
        for person, event, title in self._events[-len(PEOPLE) :]:
            self._rename(person, title)
            body = {"summary": f"{title}, edited"}
            self._system.google_call(person, "PATCH", f"/{event['id']}", body)
        for person in PEOPLE:
            title = self._title(person)
            event = self._system.google_call(person, "POST", body=new_event(title))
            self._events.append((person, event, title))

    def _title(self, person: Person) -> str:
        self.made += 1
        title = f"{self._name}, number {self.made}"
        self.titles[person].add(title)
        return title

    def _rename(self, person: Person, title: str) -> None:
        self.titles[person].discard(title)
        self.titles[person].add(f"{title}, edited")

    def assert_arrived(self) -> None:
        """Assert that both sides have every meeting once, as it was last edited."""
        expected = {p: Counter(sorted(titles)) for p, titles in self.titles.items()}
        tasks = [t for t in self._system.tasks() if t["title"].startswith(self._name)]
        for person, titles in expected.items():
            mine = Counter(t["title"] for t in tasks if t["owner_id"] == person.id)
            assert mine == titles
            events = self._system.events(person)
            theirs = Counter(e.get("summary", "") for e in events)
            assert Counter(dict(theirs.items() & titles.items())) == titles
            of_stream = [t for t in theirs if t.startswith(self._name)]
            assert set(of_stream) == set(titles)


def assert_nothing_travels(system: System, seconds: float) -> None:
    """Assert that, left alone for so long, the product changes nothing any more.

    What is left of faults, say an answer that is still waited for, ends by itself.
    """

    def is_still() -> None:
        mark, until = system.mark(), time.monotonic() + seconds
        while time.monotonic() < until:
            assert not mark.writes()
            time.sleep(0.2)
        system.assert_quiet()

    eventually(is_still)
