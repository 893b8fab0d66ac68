"""Time zones by IANA name, and when two names mean the same zone."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SAMPLES = tuple(
    datetime(year, month, 1, tzinfo=UTC)
    for year in range(1900, 2038)
    for month in range(1, 13)
)


def is_known(name: str) -> bool:
    """Tell whether `name` is in the time zone database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def zone(name: str) -> ZoneInfo:
    """Return the zone, or UTC for a name that the database does not have."""
    return ZoneInfo(name if is_known(name) else "UTC")


def first_known(*names: str | None) -> str:
    """Return the first of these names that the database has; UTC if it has none."""
    return next((name for name in names if name and is_known(name)), "UTC")


@lru_cache(maxsize=4096)
def same_zone(one: str, other: str) -> bool:
    """Tell whether two names are one zone: their clocks have never differed.

    Google and CRMs spell zones in old and new ways (`Asia/Calcutta`, `Asia/Kolkata`);
    a spelling is no change of a meeting. Names the database lacks compare as text.
    """
    if one == other:
        return True
    if not (is_known(one) and is_known(other)):
        return False
    first, second = ZoneInfo(one), ZoneInfo(other)
    return all(first.utcoffset(at) == second.utcoffset(at) for at in _in(first, second))


def _in(first: ZoneInfo, second: ZoneInfo) -> list[datetime]:
    """Wall times at which the two clocks are compared."""
    walls = [at.astimezone(first).replace(tzinfo=None) for at in _SAMPLES]
    return walls + [at.astimezone(second).replace(tzinfo=None) for at in _SAMPLES]
