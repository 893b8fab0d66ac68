"""Run the benchmarks and print their table: `make bench`."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests import services
from tests.benchmarks import (
    burst,
    changes,
    first_sync,
    pages,
    sizing,
    tables,
    webhooks,
)
from tests.benchmarks.tables import Row
from tests.e2e.system import System

Benchmark = Callable[[changes.Desk], list[Row]]
_OF_CHANGES: dict[str, Benchmark] = {
    "latency": changes.latency,
    "cost": changes.cost,
    "memory": changes.memory,
}
_NAMES = ["webhooks", *_OF_CHANGES, "pages", "burst", "first-sync", "sizing"]
_ALONE = {"first-sync", "sizing"}
"""These start a system of their own."""


def main() -> int:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...")
    parser.add_argument("names", nargs="*", choices=[*_NAMES, []], metavar="NAME")
    parser.add_argument("--changes", type=int, default=burst.CHANGES, metavar="N")
    options = parser.parse_args()
    names = options.names or _NAMES
    rows = first_sync.run() if "first-sync" in names else []
    if set(names) - _ALONE:
        rows = _with_system(names, options.changes) + rows
    told = [tables.markdown(rows)] if rows else []
    if "sizing" in names:
        told.append(sizing.run())
    sys.stdout.write("\n" + "\n\n".join(told) + "\n")
    return 0


def _with_system(names: Sequence[str], changes_of_burst: int) -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        system = System(
            folder,
            database_url=stack.enter_context(services.database()),
            amqp_url=stack.enter_context(services.virtual_host()),
            safety_poll_seconds=900,
        )
        return _run(stack.enter_context(system), names, changes_of_burst)


def _run(system: System, names: Sequence[str], changes_of_burst: int) -> list[Row]:
    rows: list[Row] = []
    if "webhooks" in names:
        rows += webhooks.run(system)
    wanted = [benchmark for name, benchmark in _OF_CHANGES.items() if name in names]
    if wanted:
        desk = changes.Desk(system)
        for benchmark in wanted:
            rows += benchmark(desk)
    if "burst" in names:
        rows += burst.run(system, changes_of_burst)
    if "pages" in names:
        rows += pages.run(system)
    return rows


if __name__ == "__main__":
    sys.exit(main())
