"""What 100, 10,000 and 1,000,000 connected users need, from a simulated workday.

The prices of everything are measured on this machine: a small run of the whole product
counts units, messages, processor time and rows of each kind of work.
"""

import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests import services
from tests.benchmarks import days, prices, weights
from tests.benchmarks.days import Day
from tests.benchmarks.prices import Price
from tests.e2e.system import System

USERS = (100, 10_000, 1_000_000)
LOAD = 0.6
"""What a core may be busy in the busiest hour, so that it catches up after a fault."""

PROJECT_UNITS = 10_000
"""What Google allows a project in a minute, unless asked for more (fact 172)."""

KEPT_DAYS = 90
"""How long history is kept where it is pruned."""

_HISTORY = frozenset({"jobs", "job_items"})
_GB = 1e9


def run() -> str:
    """Return tables in Markdown: what work and rows cost, and what users need."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        system = System(
            folder,
            database_url=stack.enter_context(services.database()),
            amqp_url=stack.enter_context(services.virtual_host()),
            safety_poll_seconds=days.POLL_SECONDS,
            connected=(),
        )
        stack.enter_context(system)
        found, sizes = prices.measure(system), weights.bytes_per_row(system)
    simulated = []
    for users in USERS:
        sys.stderr.write(f"a day of {users:,} users\n")
        simulated.append(days.simulate(users, found))
    return "\n\n".join([_of_prices(found), _of_rows(sizes), _of_days(simulated, sizes)])


def _of_prices(found: Mapping[str, Price]) -> str:
    lines = [
        [
            kind,
            f"{each.units:.1f}",
            f"{each.crm_requests:.1f}",
            f"{each.messages:.1f}",
            *(f"{1000 * seconds:.0f} ms" for seconds in each.seconds.values()),
            f"{sum(each.rows.values()):.1f}",
        ]
        for kind, each in found.items()
    ]
    heads = ["one", "units", "CRM requests", "messages"]
    used = [f"processor, `{name}`" for name in found["poll"].seconds]
    return _table([*heads, *used, "rows"], lines)


def _of_rows(sizes: Mapping[str, float]) -> str:
    lines = [[f"`{table}`", f"{size:,.0f}"] for table, size in sizes.items()]
    return _table(["a row of", "bytes, with its part of the indexes"], lines)


def _of_days(simulated: Sequence[Day], sizes: Mapping[str, float]) -> str:
    told: dict[str, Callable[[Day], str]] = {
        "messages a day": lambda day: f"{day.messages:,.0f}",
        "messages a second, busiest minute": lambda day: f"{day.peak_messages:,.1f}",
        "units of Google's quota a day": lambda day: f"{day.units:,.0f}",
        "units in the busiest minute": lambda day: f"{day.peak_units:,.0f}",
        f"the same, of a project's {PROJECT_UNITS:,}": lambda day: (
            f"{day.peak_units / PROJECT_UNITS:.1%}"
        ),
        "channels to renew an hour": lambda day: f"{day.renewals_an_hour:,.0f}",
        "`work` processes, a core each": lambda day: _cores(day, "work"),
        "cores for `serve`": lambda day: _cores(day, "serve"),
        "`periodic`, of one core": lambda day: f"{day.peak_seconds['periodic']:.0%}",
        "cores for PostgreSQL": lambda day: _cores(day, "database"),
        "database after a year": lambda day: _size(day, sizes, days.WORKDAYS_A_YEAR),
        f"the same, history of {KEPT_DAYS} days": lambda day: _size(
            day, sizes, days.WORKDAYS_A_YEAR * KEPT_DAYS / 365
        ),
    }
    heads = ["connected users", *(f"{day.users:,}" for day in simulated)]
    lines = [[what, *map(tell, simulated)] for what, tell in told.items()]
    return _table(heads, lines)


def _cores(day: Day, name: str) -> str:
    return f"{math.ceil(day.peak_seconds[name] / LOAD):,}"


def _size(day: Day, sizes: Mapping[str, float], kept_days: float) -> str:
    """Return how large the tables are after a year, with so much of the history."""
    total = sum(
        rows * sizes[table] * (kept_days if table in _HISTORY else days.WORKDAYS_A_YEAR)
        for table, rows in day.rows.items()
    )
    return f"{total / _GB:,.1f} GB"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rules = ["---", *("--:" for _ in heads[1:])]
    rows = [heads, rules, *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
