"""Clocks (`ports.Clock`) for tests."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


class SettableClock:
    """A clock that shows `moment`, until a test sets another."""

    def __init__(self, moment: datetime) -> None:
        """Begin at an instant."""
        self.moment = moment

    def now(self) -> datetime:
        """Return what was set last."""
        return self.moment
