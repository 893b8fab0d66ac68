"""What each kind of work costs: units, messages, processor time and rows."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped] # ships no types
import requests
from prometheus_client.parser import text_string_to_metric_families
from psycopg2 import sql

from tests.benchmarks import chores
from tests.benchmarks.chores import cursor_of
from tests.e2e.system import System, eventually
from tests.services.processes import free_ports

TABLES = ("links", "copies", "jobs", "job_items")
"""Those that grow with changes."""

_IDLE_SECONDS = 20.0
_STILL_SECONDS = 4.0
_PROCESSES = ("work", "serve", "periodic")
_UNITS = {"events.patch": 3}
"""What is not listed costs one unit (facts 116 and 171)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one piece of work costs, on average."""

    units: float
    """Of Google's quota."""
    crm_requests: float
    messages: float
    """Handled by workers."""
    seconds: Mapping[str, float]
    """Of processor time: of the processes by name, and of the `database`."""
    rows: Mapping[str, float]
    """By table."""


def measure(system: System) -> dict[str, Price]:
    """Return what each kind of work costs; `chores` names the kinds."""
    meter = _Meter(system)
    kinds = chores.kinds(system)
    meter.settle()
    meter.rest()
    return {kind: meter.price(work) for kind, work in kinds.items()}


class _Meter:
    """Reads everything before and after some work."""

    def __init__(self, system: System) -> None:
        """Let the worker serve its metrics."""
        self._system = system
        (self._port,) = free_ports(1)
        system.restart("work", METRICS_PORT=str(self._port))
        self._idle: Mapping[str, float] = {}

    def price(self, work: chores.Chore) -> Price:
        """Do some work, and return what one piece of it costs."""
        before, rows = self._reading(), _rows(self._system)
        mark, began = self._system.mark(), time.monotonic()
        pieces = work()
        self.settle()
        lasted = time.monotonic() - began
        used = self._reading() - before
        idle = {name: share * lasted for name, share in self._idle.items()}
        found = Price(
            units=sum(_UNITS.get(each, 1) for each in mark.google()) / pieces,
            crm_requests=len(mark.crm()) / pieces - work.asked,
            messages=used.messages / pieces,
            seconds={
                name: max(0.0, seconds - idle[name]) / pieces
                for name, seconds in used.seconds.items()
            },
            rows={
                table: (count - rows[table]) / pieces
                for table, count in _rows(self._system).items()
            },
        )
        sys.stderr.write(f"{found}\n")
        return found

    def rest(self) -> None:
        """Find out what is used while nobody does anything."""
        before = self._reading()
        time.sleep(_IDLE_SECONDS)
        used = (self._reading() - before).seconds
        self._idle = {name: each / _IDLE_SECONDS for name, each in used.items()}

    def settle(self) -> None:
        """Wait until all queues are empty and nothing more is handled."""

        def is_still() -> None:
            before = self._handled()
            self._system.assert_quiet()
            time.sleep(_STILL_SECONDS)
            assert self._handled() == before

        eventually(is_still, 600)

    def _reading(self) -> "_Reading":
        seconds = {n: _seconds(_family(self._system, n)) for n in _PROCESSES}
        seconds["database"] = _seconds(_backends(self._system))
        return _Reading(messages=self._handled(), seconds=seconds)

    def _handled(self) -> float:
        answer = requests.get(f"http://127.0.0.1:{self._port}/metrics", timeout=10)
        return sum(
            sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == "calendar_sync_messages_total"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What was handled and used until a moment."""

    messages: float
    seconds: Mapping[str, float]
    """Of processor time."""

    def __sub__(self, before: "_Reading") -> "_Reading":
        return _Reading(
            messages=self.messages - before.messages,
            seconds={n: each - before.seconds[n] for n, each in self.seconds.items()},
        )


def _family(system: System, name: str) -> list[psutil.Process]:
    parent = system.process(name)
    return [parent, *parent.children(recursive=True)]


def _backends(system: System) -> list[psutil.Process]:
    """Return PostgreSQL's processes that serve this database, on this machine."""
    with cursor_of(system) as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        found = [psutil.Process(pid) for (pid,) in cursor.fetchall()]
    assert all(each.name() == "postgres" for each in found), "PostgreSQL runs elsewhere"
    return found


def _seconds(processes: Sequence[psutil.Process]) -> float:
    used = [process.cpu_times() for process in processes]
    return sum(float(each.user + each.system) for each in used)


def _rows(system: System) -> dict[str, int]:
    with cursor_of(system) as cursor:
        found = {}
        for table in TABLES:
            name = sql.Identifier(table)
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(name))
            (found[table],) = cursor.fetchone() or (0,)
        return found
