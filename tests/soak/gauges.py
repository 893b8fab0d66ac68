"""Memory, queues, and how long a change takes to arrive, while all the rest goes on."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped] # ships no types
import requests

from tests.beside import beside
from tests.e2e.system import Person, System, eventually
from tests.e2e.test_scenario import new_task
from tests.soak import asking
from tests.soak.faults import Troubles

_LOOK_SECONDS = 10.0
_PROBE_SECONDS = 5.0
_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at a moment, in seconds since the beginning."""

    at: float
    resident_bytes: Mapping[str, int]
    """Of each process with its children, without one that is being replaced."""
    waiting: int | None
    """How many messages are in all queues; None while nobody can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How long a change took, and how long before it something had gone wrong."""

    at: float
    seconds: float
    after_fault: float


@dataclass(slots=True)
class Gauges:
    """All that was seen."""

    looks: list[Look] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)


@contextmanager
def watching(
    system: System, names: list[str], prober: Person, troubles: Troubles
) -> Iterator[Gauges]:
    """Look at everything again and again while the block runs."""
    gauges, began = Gauges(), time.monotonic()

    def look(ended: threading.Event) -> None:
        while not ended.wait(_LOOK_SECONDS):
            seen = Look(
                at=time.monotonic() - began,
                resident_bytes=_resident_bytes(system, names),
                waiting=_waiting(system),
            )
            gauges.looks.append(seen)

    def probe(ended: threading.Event) -> None:
        edit = _probe(system, prober)
        while not ended.wait(_PROBE_SECONDS):
            at = time.monotonic()
            arrival = Arrival(
                at=at - began, after_fault=at - troubles.last_at, seconds=edit()
            )
            gauges.arrivals.append(arrival)

    with beside(look), beside(probe):
        yield gauges


def _probe(system: System, prober: Person) -> Callable[[], float]:
    """Make a meeting; return what edits it and tells how long that took to arrive."""
    task_id = asking.crm(system, "POST", "/tasks", new_task(prober, "Probe"))["id"]
    number = 0

    def edit() -> float:
        nonlocal number
        number += 1
        title = f"Probe {number}"

        def assert_arrived() -> None:
            event = asking.event_of(system, prober, task_id)
            assert event is not None
            assert event["summary"] == title

        asking.crm(system, "PATCH", f"/tasks/{task_id}", {"title": title})
        made_at = time.monotonic()
        eventually(assert_arrived, _PATIENCE_SECONDS, look_seconds=0.1)
        return time.monotonic() - made_at

    return edit


def _resident_bytes(system: System, names: list[str]) -> dict[str, int]:
    found = {}
    for name in names:
        try:
            process = system.process(name)
            family = [process, *process.children(recursive=True)]
            found[name] = sum(each.memory_info().rss for each in family)
        except (KeyError, psutil.NoSuchProcess):
            continue
    return found


def _waiting(system: System) -> int | None:
    try:
        queues: dict[str, int] | None = system.api("GET", "/health")["queues"]
    except (AssertionError, requests.RequestException):
        return None
    return sum(queues.values()) if queues is not None else None
