"""Recurring events: from RRULE lines to occurrences, in the series' own wall time.

Rules are expanded on naive wall time and put into the zone afterwards, so that a
weekly meeting keeps its hour across a change to summer time (fact 90).
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil import rrule

from deploy.demo import zones
from deploy.demo.google import errors, model, times

MOST_OCCURRENCES = 730
"""A series without end is listed this far (about 700 rows were seen, fact 17)."""

_LONGEST = timedelta(days=36525)
# Where every rule ends, or a window in a far future would hold up the simulator.
_HORIZON = timedelta(days=36525)
_LAST_YEAR = 9800
_LEAP_YEAR = 2000
_LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:]+)?):(.+)")
_UNTIL = re.compile(r"(\d{8})(T\d{6})?(Z?)")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_SUFFIX = re.compile(r"(\d{8})(?:T(\d{6})Z)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One occurrence as the series has it, before any exception."""

    start: model.Json
    end: model.Json
    starts_at: datetime
    ends_at: datetime

    def event_id(self, series_id: str) -> str:
        """Return the id of this occurrence's event."""
        return f"{series_id}_{times.suffix(self.start)}"


class Pattern:
    """The occurrences of one series."""

    def __init__(self, body: model.Json, calendar_zone: str) -> None:
        """Read `start`, `end` and `recurrence`; raise 400 for what is no rule."""
        self._calendar_zone = calendar_zone
        self._start = body["start"]
        self._all_day = times.is_all_day(self._start)
        self._zone_name = self._start.get("timeZone", calendar_zone)
        self._zone = times.known_zone(self._zone_name)
        self._length = times.to_instant(body["end"], "UTC") - times.to_instant(
            self._start, "UTC"
        )
        if self._length > _LONGEST:
            raise errors.invalid("Invalid recurrence rule.")
        first = self._wall(self._start)
        self._rules = _ruleset(tuple(body["recurrence"]), first, self._zone)

    def first(self) -> Occurrence | None:
        """Return the first occurrence, if there is any."""
        return next(iter(self.between(None, None)), None)

    def between(
        self, after: datetime | None, before: datetime | None
    ) -> Iterator[Occurrence]:
        """Yield the occurrences not ending before `after` and starting before `before`.

        In order, at most `MOST_OCCURRENCES`.
        """
        # A day's margin covers what zones and changes of the clock can shift.
        margin = self._length + timedelta(days=1)
        walls: Iterator[datetime]
        if after is None:
            walls = iter(self._rules)
        else:
            walls = self._rules.xafter(self._local(after) - margin, inc=True)
        walls = takewhile(lambda wall: wall.year < _LAST_YEAR, walls)
        found: Iterator[Occurrence] = map(self._occurrence, walls)
        if before is not None:
            found = takewhile(lambda o: o.starts_at < before, found)
        if after is not None:
            found = (o for o in found if o.ends_at >= after)
        yield from islice(found, MOST_OCCURRENCES)

    def at(self, suffix: str) -> Occurrence | None:
        """Return the occurrence whose event id ends so, if the series has it."""
        match = _SUFFIX.fullmatch(suffix)
        if not match or self._all_day != (match[2] is None):
            return None
        try:
            if self._all_day:
                wall = datetime.combine(date.fromisoformat(match[1]), time.min)
            else:
                wall = self._local(datetime.fromisoformat(suffix))
        except (ValueError, OverflowError):
            return None
        if wall.year >= _LAST_YEAR:
            return None
        found = self._rules.between(wall, wall, inc=True)
        # An hour that the clock repeats has one wall time for two instants.
        occurrences = (self._occurrence(wall) for wall in found)
        return next((o for o in occurrences if times.suffix(o.start) == suffix), None)

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone).replace(tzinfo=None)

    def _wall(self, moment: model.Json) -> datetime:
        if self._all_day:
            return datetime.combine(date.fromisoformat(moment["date"]), time.min)
        return self._local(datetime.fromisoformat(moment["dateTime"]))

    def _occurrence(self, wall: datetime) -> Occurrence:
        if self._all_day:
            start: model.Json = {"date": wall.date().isoformat()}
            end: model.Json = {"date": (wall + self._length).date().isoformat()}
        else:
            at = wall.replace(tzinfo=self._zone).astimezone(UTC)
            start = times.stored(at, self._zone_name)
            end = times.stored(at + self._length, self._zone_name)
        return Occurrence(
            start=start,
            end=end,
            starts_at=times.to_instant(start, self._calendar_zone),
            ends_at=times.to_instant(end, self._calendar_zone),
        )


@lru_cache(maxsize=1024)
def _ruleset(lines: tuple[str, ...], first: datetime, zone: ZoneInfo) -> rrule.rruleset:
    rules = rrule.rruleset(cache=True)
    try:
        for line in lines:
            _add(rules, line, first, zone)
        # An empty result is fine, a rule that cannot be followed is not.
        next(iter(rules), None)
    except (ValueError, TypeError, OverflowError, IndexError) as error:
        raise errors.invalid("Invalid recurrence rule.") from error
    return rules


def _add(rules: rrule.rruleset, line: str, first: datetime, zone: ZoneInfo) -> None:
    match = _LINE.fullmatch(line.strip())
    if not match:
        message = "neither a rule nor a list of dates"
        raise ValueError(message)
    name, parameters, value = match.groups()
    if name in ("RRULE", "EXRULE"):
        rule = _rule(value, first, zone)
        rules.rrule(rule) if name == "RRULE" else rules.exrule(rule)
        return
    for text in value.split(","):
        wall = _listed(text, parameters, first, zone)
        rules.rdate(wall) if name == "RDATE" else rules.exdate(wall)


def _rule(value: str, first: datetime, zone: ZoneInfo) -> rrule.rrule:
    parts = dict(part.split("=", 1) for part in value.upper().split(";"))
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    numbers = [int(count or 1), int(parts.get("INTERVAL", 1))]
    if parts.get("FREQ") not in _FREQUENCIES or min(numbers) < 1 or (count and until):
        message = "a rule that calendars do not have"
        raise ValueError(message)
    if not _has_days(parts):
        # dateutil would look for 30 February until the year 9999.
        message = "a rule that no day meets"
        raise ValueError(message)
    last = first + _HORIZON
    parts["UNTIL"] = f"{min(_end(until, zone), last) if until else last:%Y%m%dT%H%M%S}"
    text = ";".join(f"{name}={part}" for name, part in parts.items())
    rule = rrule.rrulestr(text, dtstart=first)
    if not isinstance(rule, rrule.rrule):
        message = "more than one rule in a line"
        raise TypeError(message)
    if count is None:
        return rule
    return rule.replace(count=min(int(count), _HORIZON.days), until=None)


def _has_days(parts: Mapping[str, str]) -> bool:
    months = [int(text) for text in parts.get("BYMONTH", "1").split(",")]
    days = [abs(int(text)) for text in parts.get("BYMONTHDAY", "1").split(",")]
    return any(
        month in range(1, 13) and 1 <= day <= calendar.monthrange(_LEAP_YEAR, month)[1]
        for month in months
        for day in days
    )


def _end(until: str, zone: ZoneInfo) -> datetime:
    match = _UNTIL.fullmatch(until)
    if not match:
        message = "no moment to end at"
        raise ValueError(message)
    day, at, utc = match.groups()
    # UNTIL is inclusive: a date means the whole day.
    wall = datetime.fromisoformat(f"{day}{at or 'T235959'}")
    if at and utc:
        wall = wall.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return wall


def _listed(text: str, parameters: str, first: datetime, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    if "VALUE=DATE" in parameters and "VALUE=DATE-TIME" not in parameters:
        # A date in the list of a timed series means that day's occurrence.
        return datetime.combine(moment.date(), first.time())
    named = re.search(r"TZID=([^;:]+)", parameters)
    if moment.tzinfo is None and named:
        its_zone = zones.find(named[1])
        if its_zone is None:
            message = "no such time zone"
            raise ValueError(message)
        moment = moment.replace(tzinfo=its_zone)
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone).replace(tzinfo=None)
    return moment
