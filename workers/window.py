"""The window that bounds first syncs and repairs."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self

from shared.domain.model import AllDay, When
from shared.domain.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `start` to `end` (exclusive)."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, now: datetime, settings: Settings) -> Self:
        """Return the window of an organization at an instant."""
        return cls(
            start=now - timedelta(days=settings.window_past_days),
            end=now + timedelta(days=settings.window_future_days),
        )

    def has(self, when: When) -> bool:
        """Tell whether a meeting is at least partly inside."""
        if isinstance(when, AllDay):
            first, until = when.first_on, when.until_on
            start = datetime.combine(first, time(), UTC)
            end = datetime.combine(until, time(), UTC)
        else:
            start, end = when.start, when.end
        return start < self.end and end >= self.start
