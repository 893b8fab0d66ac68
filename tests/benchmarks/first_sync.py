"""The first sync of a full calendar in embedded mode, and the one after it."""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.tables import Row
from tests.e2e.system import ANN, System, eventually

SERIES = 40
"""Weekly meetings; each has an occurrence in every week of the year."""
MEETINGS = 5_000
_PAST_DAYS = 182
_FUTURE_DAYS = 182
_MEGABYTE = 2**20
_PATIENCE_SECONDS = 3600.0
_LOOK_SECONDS = 0.5
_QUARTERS = 4


def run() -> list[Row]:
    """Sync a year of one calendar for the first time, then once more."""
    with _calendar() as (system, meetings):
        mark, began = system.mark(), time.monotonic()
        memory = [system.resident_bytes("work")]
        system.consent(ANN)
        memory += _watch(system, _newest_job(system))
        seconds = time.monotonic() - began
        written = Counter(_written_to(each) for each in mark.writes())
        _assert_each_once(system, meetings)
        mark, again = system.mark(), time.monotonic()
        job = system.api("POST", f"/connections/{system.connection(ANN)['id']}/sync")
        _watch(system, job["id"])
        second = time.monotonic() - again
        assert mark.writes() == [], mark.writes()[:10]
    told = ", ".join(f"{each // _MEGABYTE} MB" for each in memory)
    writes = ", ".join(f"{number:,} {what}" for what, number in written.items())
    return [
        Row(
            f"first sync of {meetings:,} meetings, {SERIES} series", f"{seconds:.0f} s"
        ),
        Row("meetings/s", f"{meetings / seconds:.0f}"),
        Row("what it wrote", writes),
        Row("memory of `work` before it, at each quarter, and at its end", told),
        Row("the same sync again, without a single write", f"{second:.0f} s"),
    ]


def _written_to(request: str) -> str:
    """Return what a request changes, without whose: as `POST tasks`."""
    verb, _, path = request.partition(" ")
    return f"{verb} {path.split('/')[3]}" if path else f"{request} at Google"


def _assert_each_once(system: System, meetings: int) -> None:
    """Assert that every single event and every occurrence has one task."""
    expected = {
        event["id"] for event in system.events(ANN) if "recurrence" not in event
    }
    tasks = system.tasks()
    ids = {task["google_event_id"] for task in tasks}
    assert len(tasks) == len(ids) == meetings, (len(tasks), len(ids), meetings)
    assert expected <= ids, len(expected - ids)


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


def _newest_job(system: System) -> int:
    """Return the job of the sync that a consent begins."""
    connection = system.connection(ANN)["id"]
    path = f"/jobs?connection_id={connection}&direction=both&limit=1"

    def found() -> int:
        jobs = system.api("GET", path)["items"]
        assert jobs
        return int(jobs[0]["id"])

    return eventually(found)


def _watch(system: System, job_id: int) -> list[int]:
    """Show how far a job has come; return the memory at each quarter and its end."""
    memory: list[int] = []
    said, until = -1, time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        job = system.api("GET", f"/jobs/{job_id}")
        progress = job["progress"]
        if progress is None:
            assert job["state"] == "succeeded", job
            return [*memory, system.resident_bytes("work")]
        share = progress["done"] / max(1, progress["total"])
        if int(10 * share) > said and not progress["is_listing"]:
            said = int(10 * share)
            sys.stderr.write(f"{progress}\n")
        if len(memory) < int(4 * share) < _QUARTERS and not progress["is_listing"]:
            memory.append(system.resident_bytes("work"))
        time.sleep(_LOOK_SECONDS)
    raise AssertionError("the sync does not end")
