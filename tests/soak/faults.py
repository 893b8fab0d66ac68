"""What goes wrong in the meantime: one thing after the other, round and round."""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.beside import beside
from tests.e2e.system import System

Fault = Callable[[System, int], object]
"""Given how many requests or notifications to spoil."""


def _killed(name: str) -> Fault:
    def happen(system: System, _times: int) -> None:
        system.kill(name)
        system.start(name)

    return happen


def _receiver_loses_a_process(system: System, _times: int) -> None:
    system.process("serve").children()[0].kill()


def _of_google(**fault: Any) -> Fault:  # noqa: ANN401 - fields of a fault
    return lambda system, times: system.google.order("faults", times=times, **fault)


def _of_crm(**fault: Any) -> Fault:  # noqa: ANN401 - as above
    return lambda system, times: system.crm.order("faults", times=times, **fault)


def _broker_crashes(system: System, _times: int) -> None:
    if system.restart_broker is not None:
        system.restart_broker()


FAULTS: dict[str, Fault] = {
    "a worker is killed": _killed("work"),
    "Google answers 503": _of_google(status=503),
    "Google drops notifications": _of_google(notifications="drop"),
    "a process of the receiver is killed": _receiver_loses_a_process,
    "Google answers 403 rateLimitExceeded": _of_google(
        status=403, reason="rateLimitExceeded"
    ),
    "RabbitMQ crashes": _broker_crashes,
    "Google applies writes and loses the answers": _of_google(apply_then_fail="503"),
    "the CRM answers 503": _of_crm(status=503),
    "the CRM repeats webhooks": _of_crm(notifications="duplicate"),
    "Google repeats notifications": _of_google(notifications="duplicate"),
    "Google answers 429": _of_google(status=429, reason="rateLimitExceeded"),
    "the CRM delivers webhooks late": _of_crm(notifications="late", seconds=5),
    "Google notifies before it answers": _of_google(notifications="before_response"),
}


@dataclass(slots=True)
class Troubles:
    """What has happened so far; `last_at` is a moment of `time.monotonic`."""

    count: int = 0
    last_at: float = float("-inf")


@contextmanager
def every(
    system: System, seconds: float, times: int, troubles: Troubles
) -> Iterator[None]:
    """Let something go wrong again and again while the block runs, and not after it.

    `times`: so many requests or notifications are spoiled each time.
    """

    def trouble(ended: threading.Event) -> None:
        for name in itertools.cycle(FAULTS):
            if ended.wait(seconds):
                return
            sys.stderr.write(f"{name}\n")
            FAULTS[name](system, times)
            troubles.count += 1
            troubles.last_at = time.monotonic()

    try:
        with beside(trouble):
            yield
    finally:
        system.google.withdraw("faults")
        system.crm.withdraw("faults")
