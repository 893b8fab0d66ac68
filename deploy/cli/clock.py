"""The time of day (`ports.Clock`)."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)
