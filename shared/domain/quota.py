"""How fast a remote may be asked: a quota per minute, and room kept for people.

The generic cell rate algorithm (ITU-T I.371, as a virtual scheduler): each unit moves
the time until which the quota is spent a little ahead, and no unit may move it further
ahead of now than a burst does. So the state is one instant, and whatever the order, no
minute has more than the quota.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_BURST_SHARE = 1 / 6
"""So much of a minute's quota may be spent at once, the rest of it evenly."""

_MARGIN_SHARE = 1 / 30
"""Left unspent: clocks differ, and an answer may be counted twice on the way."""

_MOST_APART = timedelta(seconds=30)
"""The clocks of two hosts do not differ by more; else one of them was set."""

_BULK_SHARE = 0.5
"""So much of a burst is for bulk work; the rest is there when somebody waits."""


class Lane(StrEnum):
    """Whether somebody waits for the work."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many units in any 60 seconds."""

    per_minute: int

    @property
    def _burst(self) -> timedelta:
        """How far ahead of now the quota may be spent."""
        return self._unit * (self.per_minute * _BURST_SHARE)

    @property
    def _unit(self) -> timedelta:
        even = self.per_minute * (1 - _BURST_SHARE - _MARGIN_SHARE)
        return timedelta(minutes=1) / even

    def used(self, spent_until: datetime, now: datetime) -> float:
        """Return the share of a burst that is spent: at 1.0 everybody has to wait."""
        return max(spent_until - now, timedelta()) / self._burst

    def spend(
        self, spent_until: datetime | None, units: int, lane: Lane, now: datetime
    ) -> datetime | timedelta:
        """Return until when it is spent with these units, or how long to wait first."""
        if spent_until is None or self._is_of_another_time(spent_until, now):
            spent_until = now
        spent = max(spent_until, now) + units * self._unit
        share = _BULK_SHARE if lane is Lane.BULK else 1.0
        wait = spent - now - self._burst * share
        return wait if wait > timedelta() else spent

    def _is_of_another_time(self, spent_until: datetime, now: datetime) -> bool:
        """Tell whether the clock was set back since: nobody spends as far ahead."""
        return spent_until > now + self._burst + _MOST_APART
