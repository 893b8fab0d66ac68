"""A burst of new tasks under Google's quota, and what people edit meanwhile."""

import itertools
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from tests import simulators
from tests.benchmarks.load import percentile
from tests.benchmarks.tables import Row
from tests.e2e.system import ANN, CLIENT, PEOPLE, Person, System, eventually
from tests.e2e.test_scenario import new_event, new_task

CHANGES = 5_000
QUOTA = 600
"""Units a minute and account; beyond, the simulated Google refuses."""
DORA = Person(id="dora", email="dora@example.com", account="dora@example.com")
"""Makes no burst, and is not to notice the others'."""

_ALLOWED_SECONDS = 5.0
_ROUND_SECONDS = 10.0
_PATIENCE_SECONDS = 3600.0
_LOOK_SECONDS = 0.2
_HANDS = 8
_UNITS = {"events.patch": 3}
_REFUSALS = frozenset({403, 429})
_PAGE = {"X-Simulator-Page": "1"}
"""What people do on Google's own page is no client's request."""


@dataclass(slots=True)
class Log:
    """The requests at a simulator since this began to read, each read once."""

    simulator: simulators.Simulator
    rows: list[dict[str, Any]] = field(default_factory=list)
    _last: int = 0

    def skip(self) -> None:
        """Forget what was asked until now."""
        self.read()
        self.rows.clear()

    def read(self) -> list[dict[str, Any]]:
        """Return all rows, with those that are new."""
        found = self.simulator.ask("requests", since_id=str(self._last))["requests"]
        self.rows += found
        self._last = max((row["id"] for row in found), default=self._last)
        return self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What somebody edits again and again, and where each edit is to arrive."""

    what: str
    make: Callable[[str], object]
    log: Log
    is_arrival: Callable[[dict[str, Any]], bool]

    def seconds(self, began: float) -> float | None:
        """Return how long it took to arrive; None if it did not by now."""
        found = (_time(r) for r in reversed(self.log.rows) if self.is_arrival(r))
        return next((at - began for at in found if at > began), None)


def run(system: System, changes: int = CHANGES) -> list[Row]:
    """Make a burst of changes, and edits while it is worked off."""
    system.join(DORA)
    google, crm = Log(system.google), Log(system.crm)
    edits = [
        each
        for person, who in ((ANN, "its maker"), (DORA, "somebody else"))
        for each in _edits(system, person, who, google, crm)
    ]
    eventually(system.assert_quiet)
    google.skip()
    crm.skip()
    with _limited(system):
        began = time.monotonic()
        waits, taken_in = _work_off(system, changes, edits)
        lasted = time.monotonic() - began
        _wait(system.assert_quiet)
    rows = google.read()
    refused = [row for row in rows if row["status"] in _REFUSALS]
    assert not refused, refused[:10]
    _assert_each_once(system, changes)
    spent = _busiest_minute(rows)
    return [
        Row(f"a burst of {changes:,} new tasks is in Google after", f"{lasted:.0f} s"),
        Row("all its webhooks are taken in after", f"{taken_in:.0f} s"),
        Row(f"units of the busiest minute of one account, of {QUOTA}", f"{spent}"),
        Row("requests that Google refused", f"{len(refused)} of {len(rows):,}"),
        *(Row(f"an edit {what}", _told(found)) for what, found in waits.items()),
    ]


def _edits(
    system: System, person: Person, who: str, google: Log, crm: Log
) -> Iterator[Edit]:
    """Make a task and an event, synced by now, for somebody to edit."""
    task = system.crm_call("POST", "/tasks", new_task(person, f"{person.id} in CRM"))
    event = system.google_call(person, "POST", body=new_event(f"{person.id} in Google"))
    event_id = eventually(lambda: system.event(person, task["title"]))["id"]
    task_id = eventually(lambda: system.task(event["summary"]))["id"]

    def edit_task(title: str) -> None:
        system.crm_call("PATCH", f"/tasks/{task['id']}", {"title": title})

    def edit_event(title: str) -> None:
        path = f"/calendar/v3/calendars/primary/events/{event['id']}"
        answer = requests.patch(
            system.google.url + path,
            json={"summary": title},
            headers=_PAGE | {"Authorization": f"Bearer demo-{person.account}"},
            timeout=30,
        )
        assert answer.ok, answer.text

    yield Edit(
        what=f"of {who}, from the CRM to Google",
        make=edit_task,
        log=google,
        is_arrival=lambda row: (
            row["event_id"] == event_id
            and row["operation"] == "events.patch"
            and row["status"] == requests.codes.ok
        ),
    )
    yield Edit(
        what=f"of {who}, from Google to the CRM",
        make=edit_event,
        log=crm,
        is_arrival=lambda row: row["task_id"] == task_id and row["method"] == "PATCH",
    )


@contextmanager
def _limited(system: System) -> Iterator[None]:
    system.google.order("quota", per_minute_per_user=QUOTA)
    try:
        yield
    finally:
        system.google.order("quota", per_minute_per_user=None)


def _work_off(
    system: System, changes: int, edits: Sequence[Edit]
) -> tuple[dict[str, list[float]], float]:
    """Make the burst, and edits until it has arrived.

    Returns how long each edit took, and after how long all webhooks were taken in.
    """
    google = next(edit.log for edit in edits if edit.log.simulator is system.google)
    waits: dict[str, list[float]] = defaultdict(list)
    began, taken_in, numbers = time.monotonic(), 0.0, itertools.count(1)
    with _making(system, changes) as made:
        while (arrived := _inserted(google)) < changes:
            assert time.monotonic() < began + _PATIENCE_SECONDS, arrived
            waiting = _waiting(system)
            if not taken_in and made() == changes and not waiting["crm.changes"]:
                taken_in = time.monotonic() - began
            sys.stderr.write(f"{made()} made, {arrived} in Google, queued: {waiting}\n")
            phase = "once the webhooks are in" if taken_in else "in the rush"
            ends = time.monotonic() + _ROUND_SECONDS
            for edit, seconds in _round(edits, f"Edit {next(numbers)}"):
                waits[f"{edit.what}, {phase}"].append(seconds)
                sys.stderr.write(f"  {edit.what}, {phase}: {seconds:.1f} s\n")
            time.sleep(max(0.0, ends - time.monotonic()))
    return dict(sorted(waits.items())), taken_in


@contextmanager
def _making(system: System, changes: int) -> Iterator[Callable[[], int]]:
    """Create the tasks while the block runs; yield what counts those made."""
    count = itertools.count(1)
    lock, made = threading.Lock(), [0]

    def make(number: int) -> None:
        person = PEOPLE[number % len(PEOPLE)]
        system.crm_call("POST", "/tasks", new_task(person, _title(number)))
        with lock:
            made[0] = next(count)

    with ThreadPoolExecutor(_HANDS) as pool:
        futures: list[Future[None]] = [pool.submit(make, n) for n in range(changes)]
        try:
            yield lambda: made[0]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for future in futures:
        future.result()


def _title(number: int) -> str:
    return f"Burst {number}"


def _inserted(google: Log) -> int:
    return sum(
        row["operation"] == "events.insert" and row["client"] == CLIENT["client_id"]
        for row in google.read()
    )


def _waiting(system: System) -> dict[str, int]:
    """Return how many messages wait where people's changes and bulk work do."""
    queues: dict[str, int] = system.api("GET", "/health")["queues"]
    return {name: queues[name] for name in ("crm.changes", "backfill")}


def _round(edits: Sequence[Edit], title: str) -> Iterator[tuple[Edit, float]]:
    """Make an edit of each kind at once; yield how long each took to arrive."""
    began = {}
    for edit in edits:
        began[edit.what] = time.time()
        edit.make(f"{edit.what}: {title}")
    waiting = list(edits)
    until = time.monotonic() + _PATIENCE_SECONDS
    while waiting and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        for log in {id(edit.log): edit.log for edit in waiting}.values():
            log.read()
        for edit in tuple(waiting):
            seconds = edit.seconds(began[edit.what])
            if seconds is not None:
                waiting.remove(edit)
                yield edit, seconds
    assert not waiting, [edit.what for edit in waiting]


def _assert_each_once(system: System, changes: int) -> None:
    """Assert that each task has one event, on its owner's calendar."""
    expected = Counter(_title(number) for number in range(changes))
    tasks = Counter(task["title"] for task in system.tasks())
    assert {t: n for t, n in tasks.items() if t in expected} == expected
    for place, person in enumerate(PEOPLE):
        titles = Counter(e.get("summary", "") for e in system.events(person))
        own = Counter(_title(n) for n in range(place, changes, len(PEOPLE)))
        assert {t: n for t, n in titles.items() if t in expected} == own


def _busiest_minute(rows: Sequence[dict[str, Any]]) -> int:
    """Return the most that one account spent within 60 seconds."""
    most = 0
    seen: dict[str, deque[tuple[float, int]]] = defaultdict(deque)
    for row in sorted(rows, key=_time):
        within = seen[row["account"]]
        within.append((_time(row), _UNITS.get(row["operation"], 1)))
        while within[0][0] <= _time(row) - 60:
            within.popleft()
        most = max(most, sum(units for _, units in within))
    return most


def _time(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["time"]).timestamp()


def _told(waits: Sequence[float]) -> str:
    soon = sum(wait <= _ALLOWED_SECONDS for wait in waits)
    return (
        f"p50 {percentile(list(waits), 0.5):.1f} s, longest {max(waits):.1f} s; "
        f"{soon} of {len(waits)} within {_ALLOWED_SECONDS:.0f} s"
    )


def _wait(check: Callable[[], object]) -> None:
    eventually(check, _PATIENCE_SECONDS, look_seconds=1.0)
