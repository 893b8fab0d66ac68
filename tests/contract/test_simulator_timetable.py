"""The threads of the simulators that make calls when they are due."""

import contextlib
import functools
import queue
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.demo import timetable

PATIENCE_SECONDS = 10.0


@pytest.fixture
def calls() -> Iterator[timetable.Timetable]:
    with contextlib.closing(timetable.Timetable(2, "test")) as calls:
        yield calls


def test_calls_are_made_in_the_order_in_which_they_are_due(
    calls: timetable.Timetable,
) -> None:
    made: queue.Queue[str] = queue.Queue()

    for name, delay in (("second", 0.2), ("third", 0.4), ("first", 0)):
        calls.add(functools.partial(made.put, name), delay_seconds=delay)

    order = [made.get(timeout=PATIENCE_SECONDS) for _ in range(3)]
    assert order == ["first", "second", "third"]


def test_a_call_that_fails_is_logged_and_the_others_go_on(
    calls: timetable.Timetable, caplog: pytest.LogCaptureFixture
) -> None:
    made: queue.Queue[str] = queue.Queue()

    for _ in range(4):
        calls.add(lambda: made.put(str(1 // 0)))
    calls.add(lambda: made.put("done"), delay_seconds=0.1)

    assert made.get(timeout=PATIENCE_SECONDS) == "done"
    assert [record.exc_info is not None for record in caplog.records] == [True] * 4


def test_closing_waits_for_no_call_that_hangs() -> None:
    calls = timetable.Timetable(1, "test")
    is_hanging, may_end = threading.Event(), threading.Event()
    made: list[str] = []

    def hang() -> None:
        is_hanging.set()
        may_end.wait(PATIENCE_SECONDS)

    calls.add(hang)
    calls.add(lambda: made.append("late"))
    assert is_hanging.wait(PATIENCE_SECONDS)
    began = time.monotonic()
    calls.close()

    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    may_end.set()
    assert made == []
