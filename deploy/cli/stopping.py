"""Running until the process is asked to stop."""

import signal
from collections.abc import Callable, Sequence
from concurrent import futures
from types import FrameType
from typing import Protocol

_LOOK_SECONDS = 0.1
"""How often the main thread looks whether it should stop."""


class Runnable(Protocol):
    """Something that runs in a thread of its own until it is stopped."""

    def run(self) -> None:
        """Run, and finish what is in hand before returning."""
        ...

    def stop(self) -> None:
        """Ask `run` to return."""
        ...


class Wish:
    """Notes that SIGTERM or SIGINT came; a second one ends the process at once."""

    # No Event: setting one in a signal handler can wait for itself.
    is_there = False

    def listen(self) -> None:
        """Begin to take note."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_there = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)


def run_until_asked(
    parts: Sequence[Runnable], *, on_start: Callable[[], None] = lambda: None
) -> None:
    """Run all parts until a signal comes; raises what ended one of them before."""
    wish = Wish()
    wish.listen()
    with futures.ThreadPoolExecutor(len(parts), "run") as pool:
        running = [pool.submit(part.run) for part in parts]
        on_start()
        while not wish.is_there:
            ended, _ = futures.wait(
                running, _LOOK_SECONDS, return_when=futures.FIRST_COMPLETED
            )
            if ended:
                break
        for part in parts:
            part.stop()
    for each in running:
        each.result()
