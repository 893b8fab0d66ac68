"""A workday of so many users, second by second, simulated from what people do.

What each piece of work costs is measured (`prices`); how often it is done is assumed
here.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.chores import OCCURRENCES
from tests.benchmarks.prices import TABLES, Price

CHANGES_A_DAY: Mapping[str, float] = {
    "task made": 1.5,
    "task edited": 2.5,
    "task deleted": 0.5,
    "event made": 1.5,
    "event edited": 2.5,
    "event deleted": 0.5,
    "series made": 0.1,
}
"""By a user on a workday."""

HOURS: Mapping[int, int] = {
    7: 3,
    8: 9,
    9: 18,
    10: 15,
    11: 11,
    12: 5,
    13: 9,
    14: 11,
    15: 9,
    16: 6,
    17: 4,
}
"""Which percentage of them is made in which hour; all users live in one time zone."""

SERIES_PER_USER = 5
"""Weekly ones: each brings an occurrence a week into the window."""

POLL_SECONDS = 900
CHANNEL_DAYS = 0.45 * 7
"""A channel of a week is replaced after 40 to 50 % of its life."""

WORKDAYS_A_YEAR = 250

_HOUR = 3600
_DAY = 24 * _HOUR
_MINUTE = 60
_BATCH = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a day of so many users comes to."""

    users: int
    messages: float
    peak_messages: float
    """A second, in the busiest minute."""
    units: float
    peak_units: float
    """In the busiest minute."""
    peak_seconds: Mapping[str, float]
    """Of processor time, in a second of the busiest hour."""
    renewals_an_hour: float
    rows: Mapping[str, float]


def simulate(users: int, prices: Mapping[str, Price], seed: int = 1) -> Day:
    """Return what a workday of so many users comes to."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    messages, units = _Line(), _Line()
    busy = {name: _Line() for name in prices["poll"].seconds}
    rows: dict[str, float] = dict.fromkeys(TABLES, 0.0)
    for kind, share, moments in _work(users, chance):
        price = prices[kind]
        messages.add(moments, share * price.messages)
        units.add(moments, share * price.units)
        for name, seconds in price.seconds.items():
            busy[name].add(moments, share * seconds)
        for table, each in price.rows.items():
            rows[table] += share * each * moments.total()
    return Day(
        users=users,
        messages=messages.total(),
        peak_messages=messages.most(_MINUTE) / _MINUTE,
        units=units.total(),
        peak_units=units.most(_MINUTE),
        peak_seconds={n: each.most(_HOUR) / _HOUR for n, each in busy.items()},
        renewals_an_hour=users / CHANNEL_DAYS / 24,
        rows=rows,
    )


@dataclass(slots=True)
class _Line:
    """An amount for each second of a day."""

    values: list[float] = field(default_factory=lambda: [0.0] * _DAY)

    def add(self, moments: Mapping[int, int], amount: float) -> None:
        """Add an amount for each time that something happens at a second."""
        for second, times in moments.items():
            self.values[second] += amount * times

    def total(self) -> float:
        """Return the whole day's."""
        return sum(self.values)

    def most(self, seconds: int) -> float:
        """Return the most in any stretch of so many seconds, one after the other."""
        starts = range(0, _DAY, seconds)
        return max(sum(self.values[start : start + seconds]) for start in starts)


def _work(
    users: int, chance: random.Random
) -> Iterator[tuple[str, float, Counter[int]]]:
    """Yield kinds of work, at which share of their price, and when they are done."""
    weights = [HOURS.get(second // _HOUR, 0) for second in range(_DAY)]
    for kind, often in CHANGES_A_DAY.items():
        yield kind, 1.0, _moments(chance, round(users * often), weights)
    evenly = [1] * _DAY
    yield "poll", 1.0, _polls(users, chance)
    yield "window moved", 1.0, _moments(chance, users, evenly)
    # What enters with it is done as the occurrences of a new series are.
    entering = round(users * SERIES_PER_USER / 7)
    yield "series made", 1 / OCCURRENCES, _moments(chance, entering, evenly)
    renewed = round(users / CHANNEL_DAYS)
    yield "channel renewed", 1.0, _moments(chance, renewed, evenly)


def _moments(chance: random.Random, times: int, weights: Sequence[int]) -> Counter[int]:
    """Return at which seconds something happens so many times."""
    cumulated = list(itertools.accumulate(weights))
    found: Counter[int] = Counter()
    for done in range(0, times, _BATCH):
        number = min(_BATCH, times - done)
        found.update(chance.choices(range(_DAY), cum_weights=cumulated, k=number))
    return found


def _polls(users: int, chance: random.Random) -> Counter[int]:
    first = _moments(chance, users, [1] * POLL_SECONDS + [0] * (_DAY - POLL_SECONDS))
    return Counter(
        {
            start + second: times
            for start in range(0, _DAY, POLL_SECONDS)
            for second, times in first.items()
        }
    )
