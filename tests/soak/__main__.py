"""Runs a soak and prints its table: `make load`."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from tests import services
from tests.benchmarks import tables
from tests.e2e.system import System, eventually
from tests.services import rabbitmq
from tests.soak import faults, gauges, report
from tests.soak.crowd import Crowd, Outcome

PEOPLE = 20
NAMES = ["serve", "work", "second work", "periodic"]
_FAULT_SECONDS = 60.0
_SPOILED = 200
"""Some seconds of this load."""
_POLL_SECONDS = 60
"""What a notification that was dropped is found after."""
_QUOTA = 600
_DRAIN_SECONDS = 1200.0
_LOGS = Path("var/soak").resolve()
"""Where the logs of all processes are left."""


class _Busy(System):
    """A system with two workers."""

    names = ("serve", "work", "second work", "periodic")


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.5), default=60)
@click.option("--rate", type=click.FloatRange(min=0.1), default=20, help="Changes/s.")
@click.option("--people", type=click.IntRange(min=2), default=PEOPLE)
@click.option("--seed", type=int, default=1)
def main(minutes: float, rate: float, people: int, seed: int) -> None:
    """Put load and faults on the whole product, and see what comes of it."""
    with _running() as system:
        users = [system.newcomer(f"user{number}") for number in range(people)]
        crowd = Crowd(system, users, seed)
        prober = system.newcomer("prober")
        system.google.order("quota", per_minute_per_user=_QUOTA)
        troubles = faults.Troubles()
        with (
            gauges.watching(system, NAMES, prober, troubles) as seen,
            faults.every(system, _FAULT_SECONDS, _SPOILED, troubles),
            crowd.busy(rate),
        ):
            _pass(minutes, crowd)
        soak = report.Soak(
            minutes=minutes,
            rate=rate,
            crowd=crowd,
            troubles=troubles,
            gauges=seen,
            outcome=_settled(system, crowd),
            mails=len(system.google.ask("mails")["mails"]),
        )
    click.echo(f"\n{tables.markdown(list(report.rows(soak)))}")
    wrong = list(report.faults(soak, NAMES))
    for each in wrong[:20]:
        click.echo(each, err=True)
    sys.exit(1 if wrong else 0)


@contextlib.contextmanager
def _running() -> Iterator[System]:
    with contextlib.ExitStack() as stack:
        folder = _LOGS
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        broker = folder / "rabbitmq"
        broker.mkdir()
        node = stack.enter_context(rabbitmq.Node(broker))
        system = _Busy(
            folder,
            database_url=stack.enter_context(services.database()),
            amqp_url=node.url,
            safety_poll_seconds=_POLL_SECONDS,
            connected=(),
        )
        system.restart_broker = node.restart
        yield stack.enter_context(system)


def _pass(minutes: float, crowd: Crowd) -> None:
    """Let the time go by, and tell of it."""
    until = time.monotonic() + minutes * 60
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _FAULT_SECONDS))
        click.echo(f"{crowd.made.total()} changes, {left / 60:.0f} min left", err=True)


def _settled(system: System, crowd: Crowd) -> Outcome:
    """Wait until both sides are as they must be, or no work is left."""

    def assert_settled() -> None:
        outcome = crowd.compare()
        wrong = outcome.lost + outcome.duplicates
        click.echo(f"{len(wrong)} meetings are not as they must be yet", err=True)
        assert not wrong

    with contextlib.suppress(AssertionError):
        eventually(assert_settled, _DRAIN_SECONDS, look_seconds=5.0)
    with contextlib.suppress(AssertionError):
        eventually(system.assert_quiet)
    return crowd.compare()


if __name__ == "__main__":
    main()
