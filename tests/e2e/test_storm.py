"""Processes die while changes stream through: nothing is lost, doubled or repeated."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.domain import identifiers
from tests.e2e.system import ANN, ORGANIZATION, PEOPLE, Person, System, eventually
from tests.e2e.test_scenario import new_event, new_task

SAFETY_POLL_SECONDS = 3
"""What Google tells a dead receiver is lost but for the polls."""

ROUNDS = 8
"""In each, everybody makes a task and an event, and edits those of the round before."""

_numbers = itertools.count(1)
pytestmark = pytest.mark.timeout(400)


class Stream:
    """Changes on both sides, and what must be true of them in the end."""

    def __init__(self, system: System) -> None:
        """Begin without changes; titles differ from those of other streams."""
        self._system = system
        self._name = f"Storm {next(_numbers)}"
        self._made = 0
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
        self._made += 1
        title = f"{self._name}, number {self._made}"
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


@pytest.fixture
def stream(system: System) -> Iterator[Stream]:
    """Return a stream that must have arrived in the end, with nothing travelling."""
    stream = Stream(system)
    yield stream
    eventually(stream.assert_arrived, 120)
    system.google.withdraw("faults")
    eventually(system.assert_quiet)
    _assert_nothing_travels(system)


def _assert_nothing_travels(system: System) -> None:
    """Assert that, left alone, the product changes nothing any more.

    What is left of faults, say an answer that is still waited for, ends by itself.
    """

    def is_still() -> None:
        mark, until = system.mark(), time.monotonic() + 2 * SAFETY_POLL_SECONDS
        while time.monotonic() < until:
            assert not mark.writes()
            time.sleep(0.2)
        system.assert_quiet()

    eventually(is_still)


def _in_the_middle(stream: Stream, happen: Callable[[], None]) -> None:
    for number in range(ROUNDS):
        stream.round()
        if number == ROUNDS // 2:
            happen()


def test_a_worker_is_killed(system: System, stream: Stream) -> None:
    def happen() -> None:
        system.kill("work")
        system.start("work")

    _in_the_middle(stream, happen)


def test_the_receiver_is_killed(system: System, stream: Stream) -> None:
    def happen() -> None:
        system.kill("serve")
        system.start("serve")

    _in_the_middle(stream, happen)


def test_the_broker_crashes(system: System, stream: Stream) -> None:
    if system.restart_broker is None:
        system.kill("work")
        system.start("work")
        _in_the_middle(stream, lambda: None)
    else:
        _in_the_middle(stream, system.restart_broker)


def test_everything_is_killed_at_once(system: System, stream: Stream) -> None:
    def happen() -> None:
        for name in ("work", "serve", "periodic"):
            system.kill(name)
        for name in ("serve", "work", "periodic"):
            system.start(name)

    _in_the_middle(stream, happen)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "retry_after": 1},
        {"status": 429, "reason": "rateLimitExceeded"},
        {"status": 403, "reason": "rateLimitExceeded"},
        {"apply_then_fail": "timeout"},
    ],
    ids=["503", "429", "403", "timeout"],
)
def test_google_is_out_of_order_for_a_while(
    system: System, stream: Stream, fault: dict[str, Any]
) -> None:
    for method in ("insert", "patch"):
        match = {"operation": f"events.{method}"}
        system.google.order("faults", match=match, times=3, **fault)

    # People, who would meet the faults as well, keep to the CRM.
    for _ in range(2):
        stream.round_in_crm()


def test_a_record_that_google_refuses_for_good_does_not_hold_up_the_others(
    system: System, stream: Stream
) -> None:
    with system.paused("work"):
        bad = system.crm_call("POST", "/tasks", new_task(ANN, "Refused"))
        event_id = identifiers.event_id(ORGANIZATION, bad["id"], ANN.account, 0)
        match = {"event_id": event_id}
        system.google.order("faults", match=match, status=400, reason="invalid")

    def is_filed() -> None:
        rows = system.api("GET", "/dead-letters")["items"]
        assert "remote_rejected" in {
            row["reason"] for row in rows if row["task_id"] == bad["id"]
        }

    eventually(is_filed)
    stream.round()
    eventually(stream.assert_arrived)
    # The polls would come back to it for a while.
    system.crm_call("DELETE", f"/tasks/{bad['id']}")


def test_lost_notifications_are_made_up_for_by_the_safety_poll(
    system: System, stream: Stream
) -> None:
    system.google.order("faults", notifications="drop", times=20)

    stream.round()
    stream.round()
