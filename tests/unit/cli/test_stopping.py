"""Running until a signal comes."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from deploy.cli import stopping
from shared.domain import errors


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the signal handlers as they were."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class Part:
    """Runs until it is stopped."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self.is_finished = False

    def run(self) -> None:
        """Wait, then finish what is in hand."""
        self._stopped.wait(30)
        self.is_finished = True

    def stop(self) -> None:
        """Ask it to return."""
        self._stopped.set()


class BrokenPart(Part):
    """Fails while it runs."""

    def run(self) -> None:
        """Fail."""
        raise errors.RemoteUnavailableError


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_all_parts_finish(number: signal.Signals) -> None:
    parts = [Part(), Part()]

    stopping.run_until_asked(parts, on_start=lambda: os.kill(os.getpid(), number))

    assert [part.is_finished for part in parts] == [True, True]


def test_a_second_signal_ends_the_process_as_it_would_any_other() -> None:
    wish = stopping.Wish()
    wish.listen()

    os.kill(os.getpid(), signal.SIGTERM)

    assert wish.is_there
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_a_part_that_fails_stops_the_others_and_is_told() -> None:
    other = Part()

    with pytest.raises(errors.RemoteUnavailableError):
        stopping.run_until_asked([other, BrokenPart()])

    assert other.is_finished
