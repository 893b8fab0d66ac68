"""What came of a soak, as a table, and whether it is good enough."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.load import percentile
from tests.benchmarks.tables import Row
from tests.soak.crowd import Crowd, Outcome
from tests.soak.faults import Troubles
from tests.soak.gauges import Gauges, Look

_QUIET_SECONDS = 30.0
"""So long after a fault a change is taken for one without."""
_GROWTH = 1.10
"""More than this, from the second to the last quarter, is no flat memory."""
_HELD = 0.95
"""Of the changes that were planned, so many must have been made."""
_LATER = 1.5
_SOON_SECONDS = 1.0
"""Changes that take longer, and that many times longer than before, queue up."""
_MB = 1_000_000
QUARTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """All that is known of one: what was planned, and what came of it."""

    minutes: float
    rate: float
    crowd: Crowd
    troubles: Troubles
    gauges: Gauges
    outcome: Outcome
    mails: int


def rows(soak: Soak) -> Iterator[Row]:
    """Return what happened and what came of it."""
    made = soak.crowd.made.total()
    rate = made / (soak.minutes * 60)
    yield Row(f"changes in {soak.minutes:g} minutes", f"{made:,}, {rate:.1f} a second")
    for kind, count in sorted(soak.crowd.made.items()):
        yield Row(f"of these: {kind}", f"{count:,}")
    yield Row("things that went wrong meanwhile", f"{soak.troubles.count}")
    yield Row("meetings that stand in the end", f"{soak.outcome.live:,}")
    yield Row("lost or not as last edited", f"{len(soak.outcome.lost)}")
    yield Row("doubled", f"{len(soak.outcome.duplicates)}")
    yield Row("mails to guests", f"{soak.mails}")
    for name, quarters in memory(soak.gauges, soak.minutes).items():
        told = ", ".join(f"{each / _MB:.0f}" for each in quarters)
        yield Row(f"memory of `{name}` by quarters, median", f"{told} MB")
    depths = _quarters(
        [
            (look.at, look.waiting)
            for look in soak.gauges.looks
            if look.waiting is not None
        ],
        soak.minutes,
    )
    told = ", ".join(f"{statistics.median(each):.0f}" for each in depths)
    yield Row("messages waiting by quarters, median", told)
    ages = _ages(soak.gauges, soak.minutes)
    told = ", ".join(f"{statistics.median(each):.1f}" for each in ages)
    yield Row("seconds until a change has arrived, by quarters, median", told)
    everything = [each.seconds for each in soak.gauges.arrivals]
    quiet = [e.seconds for e in soak.gauges.arrivals if e.after_fault > _QUIET_SECONDS]
    for what, seconds in (("all", everything), ("half a minute after a fault", quiet)):
        p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
        yield Row(f"the same, {what}", f"p50 {p50:.1f} s, p99 {p99:.1f} s")


def memory(gauges: Gauges, minutes: float) -> dict[str, list[float]]:
    """Return the median memory of each process in each quarter, in bytes."""
    names = {name for look in gauges.looks for name in look.resident_bytes}
    return {
        name: [
            statistics.median(each)
            for each in _quarters(_resident(gauges.looks, name), minutes)
        ]
        for name in sorted(names)
    }


def faults(soak: Soak, names: Iterable[str]) -> Iterator[str]:
    """Return why this is not good enough, if it is not; `names`: the processes."""
    if soak.crowd.made.total() < _HELD * soak.minutes * 60 * soak.rate:
        yield f"{soak.rate:g} changes a second were not made"
    ages = [statistics.median(each) for each in _ages(soak.gauges, soak.minutes)]
    if len(ages) == QUARTERS and ages[-1] > max(_SOON_SECONDS, _LATER * ages[1]):
        yield "changes arrive later and later"
    yield from (f"lost: {each}" for each in soak.outcome.lost)
    yield from (f"doubled: {each}" for each in soak.outcome.duplicates)
    if soak.mails:
        yield f"guests got {soak.mails} mails"
    for name in names:
        quarters = memory(soak.gauges, soak.minutes).get(name, [])
        if len(quarters) < QUARTERS:
            yield f"the memory of {name} was not seen all the time"
        elif quarters[-1] > _GROWTH * quarters[1]:
            yield f"the memory of {name} grows"


def _ages(gauges: Gauges, minutes: float) -> list[list[float]]:
    return _quarters([(each.at, each.seconds) for each in gauges.arrivals], minutes)


def _resident(looks: Iterable[Look], name: str) -> list[tuple[float, float]]:
    return [
        (look.at, look.resident_bytes[name])
        for look in looks
        if name in look.resident_bytes
    ]


def _quarters(seen: Sequence[tuple[float, float]], minutes: float) -> list[list[float]]:
    """Return the values of each quarter in which there are any."""
    length = minutes * 60 / QUARTERS
    quarters = [
        [value for at, value in seen if number * length <= at < (number + 1) * length]
        for number in range(QUARTERS)
    ]
    return [each for each in quarters if each]
