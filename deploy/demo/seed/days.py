"""Working days counted from today, and the times of meetings on them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """When a meeting is: the working day from today, the wall time, how long."""

    day: int
    at: str
    minutes: int


def working_day(today: date, number: int) -> date:
    """Return the working day `number` days from today; 0 is today or the next one."""
    day = today
    while not _is_working_day(day):
        day += _DAY
    step = _DAY if number > 0 else -_DAY
    for _ in range(abs(number)):
        day += step
        while not _is_working_day(day):
            day += step
    return day


def span(slot: Slot, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return start and end of a slot as people in the zone see it."""
    # One day for all: people in different zones meet each other.
    day = working_day(now.astimezone(UTC).date(), slot.day)
    start = datetime.combine(day, time.fromisoformat(slot.at), zone)
    return start, start + timedelta(minutes=slot.minutes)


def _is_working_day(day: date) -> bool:
    return day.weekday() < _SATURDAY
