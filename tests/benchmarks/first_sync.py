"""The first sync of a full calendar in embedded mode, and the one after it."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.tables import Row
from tests.e2e.system import ANN, System

SERIES = 40
"""Weekly meetings; each has an occurrence in every week of the year."""
MEETINGS = 5_000
_PAST_DAYS = 182
_FUTURE_DAYS = 182
_MEGABYTE = 2**20
_HOURS_SECONDS = 3600


def run() -> list[Row]:
    """Sync a year of one calendar for the first time, then once more."""
    with _calendar() as (system, meetings):
        began = time.monotonic()
        system.consent(ANN)
        memory = _watch(system)
        seconds = time.monotonic() - began
        tasks = system.tasks()
        ids = {task["google_event_id"] for task in tasks}
        assert len(tasks) == len(ids) == meetings, (len(tasks), len(ids), meetings)
        mark, again = system.mark(), time.monotonic()
        system.api("POST", f"/connections/{system.connection(ANN)['id']}/sync")
        _watch(system)
        second = time.monotonic() - again
        assert mark.writes() == [], mark.writes()[:10]
    return [
        Row(
            f"first sync of {meetings:,} meetings, {SERIES} series", f"{seconds:.0f} s"
        ),
        Row("meetings/s", f"{meetings / seconds:.0f}"),
        Row("memory of `work` at 10 % and at the end of it", _told(memory)),
        Row("the same sync again, without a single write", f"{second:.0f} s"),
    ]


@contextmanager
def _calendar() -> Iterator[tuple[System, int]]:
    """Yield a system before its first sync, and how many meetings there are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with System(
            path,
            database_url=f"sqlite:///{path}/sync.db",
            safety_poll_seconds=900,
            connected=(),
        ) as system:
            system.settings(
                window_past_days=_PAST_DAYS, window_future_days=_FUTURE_DAYS
            )
            yield system, _fill(system)


def _fill(system: System) -> int:
    """Create the events; return how many meetings there are in the window."""
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    first -= timedelta(days=_PAST_DAYS - 1)
    weeks = (_PAST_DAYS + _FUTURE_DAYS - 2) // 7 + 1
    for number in range(SERIES):
        rule = [f"RRULE:FREQ=WEEKLY;COUNT={weeks}"]
        _create(system, first + timedelta(hours=number), f"S{number}", recurrence=rule)
    singles = MEETINGS - SERIES * weeks
    step = timedelta(days=_PAST_DAYS + _FUTURE_DAYS - 2) / singles
    for number in range(singles):
        _create(system, first + step * number, f"Meeting {number}")
    return MEETINGS


def _create(
    system: System,
    start: datetime,
    title: str,
    **more: Any,  # noqa: ANN401 - any field
) -> None:
    times = {
        side: {"dateTime": at.isoformat(), "timeZone": "UTC"}
        for side, at in (("start", start), ("end", start + timedelta(minutes=30)))
    }
    system.google_call(ANN, "POST", body={"summary": title, **times, **more})


def _watch(system: System) -> list[int]:
    """Tell how far the newest job has come until its end; return the memory then."""
    memory: list[int] = []
    said = -1
    connection = system.connection(ANN)["id"]
    until = time.monotonic() + _HOURS_SECONDS
    while time.monotonic() < until:
        job = system.api(
            "GET", f"/jobs?connection_id={connection}&direction=both&limit=1"
        )["items"][0]
        progress = job["progress"]
        if progress is None:
            assert job["state"] == "succeeded", job
            return [*memory, system.resident_bytes("work")]
        tenth = 10 * progress["done"] // max(1, progress["total"])
        if tenth > said and not progress["is_listing"]:
            said = tenth
            memory.append(system.resident_bytes("work"))
            sys.stderr.write(f"{progress}\n")
        time.sleep(0.2)
    raise AssertionError("the sync does not end")


def _told(memory: list[int]) -> str:
    early, late = memory[min(1, len(memory) - 1)], memory[-1]
    return f"{early // _MEGABYTE} MB, {late // _MEGABYTE} MB"
