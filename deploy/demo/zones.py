"""Time zones by their IANA names."""

import zoneinfo
from functools import lru_cache


@lru_cache(maxsize=1024)
def find(name: str) -> zoneinfo.ZoneInfo | None:
    """Return the zone of a name, or None when there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
