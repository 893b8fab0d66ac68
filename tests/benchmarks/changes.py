"""Changes from the CRM to Google: how soon, at what cost, and in how much memory."""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from tests.benchmarks.load import percentile
from tests.benchmarks.tables import Row
from tests.e2e.system import Mark, System, eventually
from tests.e2e.test_scenario import new_task

PACES = (10, 50)
"""Changes a second; at the higher pace two slow cores fall behind, which shows."""
RECORDS = 600
"""Each is changed once at a pace: so each request has its change."""
WRITERS = 12
"""So many that Google's quota for each does not decide how soon changes arrive."""
CHANGES = 10_000
_MEGABYTE = 1024 * 1024
_PATIENCE_SECONDS = 600.0
_HANDS = 8
T = TypeVar("T")


def _wait_until(check: Callable[[], T]) -> T:
    """Wait with few looks: they would be work for what is measured."""
    return eventually(check, _PATIENCE_SECONDS, look_seconds=0.5)


class Desk:
    """Somebody who changes tasks in the CRM."""

    def __init__(self, system: System) -> None:
        """Make the tasks, and wait for their events."""
        self.system = system
        self._numbers = itertools.count(1)
        self._people = [system.newcomer(f"writer{n}") for n in range(WRITERS)]
        owners = itertools.islice(itertools.cycle(self._people), RECORDS)
        bodies = [new_task(person, f"Bench {n}") for n, person in enumerate(owners)]
        with ThreadPoolExecutor(_HANDS) as pool:
            made = pool.map(lambda b: system.crm_call("POST", "/tasks", b), bodies)
            self.task_ids = [task["id"] for task in made]
        _wait_until(self._assert_all_have_events)
        _wait_until(system.assert_quiet)

    def _assert_all_have_events(self) -> None:
        assert set(self.task_ids) <= set(self.events().values())

    def change(self, number: int) -> None:
        """Give one of the tasks a title that none had before."""
        task_id = self.task_ids[number % RECORDS]
        title = {"title": f"Bench change {next(self._numbers)}"}
        self.system.crm_call("PATCH", f"/tasks/{task_id}", title)

    def change_each(self, pace: int) -> dict[str, float]:
        """Change each task once, so many a second; return when, by their ids."""
        began = time.monotonic()
        changed_at = {}

        def change(number: int) -> None:
            time.sleep(max(0.0, began + number / pace - time.monotonic()))
            changed_at[self.task_ids[number]] = time.time()
            self.change(number)

        with ThreadPoolExecutor(_HANDS) as pool:
            list(pool.map(change, range(RECORDS)))
        return changed_at

    def change_many(self, count: int) -> None:
        """Change tasks as fast as the CRM takes it."""
        with ThreadPoolExecutor(_HANDS) as pool:
            list(pool.map(self.change, range(count)))

    def events(self) -> dict[str, str]:
        """Return the task of each event, by their ids."""
        rows = [row for person in self._people for row in self.system.events(person)]
        found = {}
        for row in rows:
            private = row.get("extendedProperties", {}).get("private", {})
            found[row["id"]] = private.get("crmTaskId", "")
        return found


def latency(desk: Desk) -> list[Row]:
    """Time changes to Google's requests, at a pace that is easy and one that is not."""
    return [_latency(desk, pace) for pace in PACES]


def _latency(desk: Desk, pace: int) -> Row:
    task_of = desk.events()
    mark = desk.system.mark()
    changed_at = desk.change_each(pace)
    _wait_until(desk.system.assert_quiet)
    patches = _wait_until(lambda: _patches(mark, RECORDS))
    waits = [
        datetime.fromisoformat(row["time"]).timestamp()
        - changed_at[task_of[row["event_id"]]]
        for row in patches
    ]
    shown = [f"p{int(p * 100)} {percentile(waits, p):.2f} s" for p in (0.5, 0.99)]
    what = f"from a change in the CRM to Google's request, at {pace} changes/s"
    return Row(what, ", ".join(shown))


def _patches(mark: Mark, number: int) -> list[dict[str, Any]]:
    rows = [row for row in mark.google_rows() if row["operation"] == "events.patch"]
    assert len(rows) >= number
    return rows


def cost(desk: Desk) -> list[Row]:
    """Let changes pile up, then time how the worker gets through them."""
    system = desk.system
    with system.paused("work"):
        # Slowly: more at once is taken for an import, and has a queue of its own.
        desk.change_each(PACES[0])
        _wait_until(lambda: _assert_queued(system))
        used = system.process("work").cpu_times()
        mark, began = system.mark(), time.monotonic()
    _wait_until(system.assert_quiet)
    lasted = time.monotonic() - began
    now = system.process("work").cpu_times()
    busy = (now.user + now.system) - (used.user + used.system)
    patched = mark.google().count("events.patch")
    return [
        Row("changes/s, one worker process", f"{patched / lasted:.0f}"),
        Row("changes/s and worker core", f"{patched / busy:.0f}"),
    ]


def _assert_queued(system: System) -> None:
    queues: dict[str, int] = system.api("GET", "/health")["queues"]
    # What the worker had taken when it was paused is not in the queue.
    assert queues["crm.changes"] >= RECORDS - 2 * _PREFETCHED


_PREFETCHED = 8


def memory(desk: Desk) -> list[Row]:
    """Make many changes; compare the memory in the middle and in the end."""
    sizes = []
    for _ in range(2):
        desk.change_many(CHANGES // 2)
        _wait_until(desk.system.assert_quiet)
        sizes.append(_memory(desk.system))
    middle, end = sizes
    return [
        Row(
            f"memory of {name} after {CHANGES // 2} and {CHANGES} changes",
            f"{middle[name]:.0f} MB, {end[name]:.0f} MB",
        )
        for name in end
    ]


def _memory(system: System) -> dict[str, float]:
    """Return the largest resident size of the processes behind each command."""
    found = {}
    for name in ("serve", "work", "periodic"):
        parent = system.process(name)
        family = [parent, *parent.children(recursive=True)]
        found[name] = max(each.memory_info().rss for each in family) / _MEGABYTE
    return found
