"""Recurring events: from RRULE lines to occurrences, in the series' own wall time.

Rules are expanded on naive wall time and put into the zone afterwards, so that a
weekly meeting keeps its hour across a change to summer time (fact 90).
"""

import re
from collections.abc import Iterator
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
_LAST_YEAR = 9800
_LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:]+)?):(.+)")
_UNTIL = re.compile(r"UNTIL=(\d{8})(T\d{6})?(Z?)")
_FREQUENCY = re.compile(r"(?:^|;)FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)")
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
    except (ValueError, TypeError, OverflowError) as error:
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
    if not _FREQUENCY.search(value.upper()):
        message = "a frequency that calendars do not have"
        raise ValueError(message)

    def to_wall(match: re.Match[str]) -> str:
        day, at, utc = match.groups()
        if not at:
            # UNTIL is inclusive: a date means the whole day.
            return f"UNTIL={day}T235959"
        wall = datetime.fromisoformat(f"{day}{at}")
        if utc:
            wall = wall.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        return f"UNTIL={wall:%Y%m%dT%H%M%S}"

    rule = rrule.rrulestr(_UNTIL.sub(to_wall, value.upper()), dtstart=first)
    if not isinstance(rule, rrule.rrule):
        message = "more than one rule in a line"
        raise TypeError(message)
    return rule


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
