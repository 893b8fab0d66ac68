"""Event times: read as Google reads them, kept as instants, rendered in a zone.

A stored time is `{"date": "2026-03-01"}` or `{"dateTime": "2026-03-01T09:00:00Z",
"timeZone": "Europe/Zurich"}`, the first form of `EventDateTime` for all-day events.
"""

import re
import zoneinfo
from datetime import UTC, date, datetime, time

from deploy.demo import zones
from deploy.demo.google import errors, model

_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Far enough from what a datetime can hold for every zone, length and repetition.
_EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def known_zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the zone of a name that was checked before."""
    found = zones.find(name)
    if found is None:
        message = f"no time zone {name!r}"
        raise LookupError(message)
    return found


def parse_instant(text: str, parameter: str) -> datetime:
    """Return the instant of a query parameter, which must carry its offset."""
    moment = _date_time(text)
    if moment is None or moment.tzinfo is None:
        raise errors.invalid_parameter(parameter, f"Invalid value for: {parameter}")
    return min(max(moment, _EARLIEST), _LATEST).astimezone(UTC)


def parse(raw: model.Json, edge: str, calendar_zone: str) -> model.Json:
    """Return the stored form of a written `start` or `end`.

    Without an offset the time is in its own zone, else in the calendar's (fact 79).
    """
    day, at = raw.get("date"), raw.get("dateTime")
    if not day and not at:
        raise errors.required(f"Missing {edge} time.")
    if day and at:
        raise errors.invalid(f"Invalid {edge} time.")
    if day:
        return {"date": _parse_date(day, edge)}
    name = raw.get("timeZone") or calendar_zone
    its_zone = zones.find(name)
    if its_zone is None:
        raise errors.invalid(f"Invalid time zone definition for {edge} time.")
    moment = _date_time(at)
    if moment is None:
        raise errors.invalid(f"Invalid {edge} time.")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=its_zone)
    if not _EARLIEST <= moment <= _LATEST:
        raise errors.invalid(f"Invalid {edge} time.")
    return stored(moment, name)


def _parse_date(text: object, edge: str) -> str:
    if isinstance(text, str) and _DATE.fullmatch(text):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if _EARLIEST.date() <= day <= _LATEST.date():
            return day.isoformat()
    raise errors.invalid(f"Invalid {edge} time.")


def _date_time(text: object) -> datetime | None:
    if not isinstance(text, str) or not _DATE_TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).replace(microsecond=0)
    except ValueError:
        return None


def stored(at: datetime, zone_name: str) -> model.Json:
    """Return the stored form of an instant."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"dateTime": text, "timeZone": zone_name}


def is_all_day(moment: model.Json) -> bool:
    """Whether a stored time is a date."""
    return "date" in moment


def to_instant(moment: model.Json, calendar_zone: str) -> datetime:
    """Return the instant of a stored time; a date begins in the calendar's zone."""
    if "date" in moment:
        midnight = datetime.combine(date.fromisoformat(moment["date"]), time.min)
        return midnight.replace(tzinfo=known_zone(calendar_zone)).astimezone(UTC)
    return datetime.fromisoformat(moment["dateTime"])


def render(moment: model.Json, zone_name: str) -> model.Json:
    """Return a stored time as an answer shows it: its own zone, another's offset."""
    if "date" in moment:
        return {"date": moment["date"]}
    at = datetime.fromisoformat(moment["dateTime"]).astimezone(known_zone(zone_name))
    text = at.isoformat(timespec="seconds")
    if text.endswith("+00:00"):
        text = text.removesuffix("+00:00") + "Z"
    return {"dateTime": text, "timeZone": moment["timeZone"]}


def suffix(moment: model.Json) -> str:
    """Return the end of an occurrence's id, from its original start (fact 56)."""
    text = moment.get("date") or moment["dateTime"]
    return str(text).replace("-", "").replace(":", "")
