"""The values of a meeting as people write them, in the time zone of who looks."""

import zoneinfo
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from flask import g

from webhook_receiver.pages import labels

FIELDS: Mapping[str, str] = {
    "title": "Title",
    "when": "When",
    "location": "Place",
    "description": "Description",
    "attendees": "Guests",
    "cancelled": "Cancelled",
}
"""The synced fields, in the order that pages show them."""

UNTITLED = "Untitled meeting"


def title_seen(*sides: Mapping[str, Any] | None) -> str | None:
    """Return the first title that one of the sides has."""
    return next((s["title"] for s in sides if s and s.get("title")), None)


def title(*sides: Mapping[str, Any] | None) -> str:
    """Return what a meeting is called, by the first side that says so."""
    return title_seen(*sides) or UNTITLED


def shown(value: Any) -> str:  # noqa: ANN401 - any value of a meeting
    """Return a value of a meeting as text; several are on a line each."""
    match value:
        case {"start": str(start), "end": str(end)}:
            zone = value.get("time_zone")
            return _span(start, end, zone if isinstance(zone, str) else None)
        case {"first_on": str(first), "until_on": str(until)}:
            return _days(date.fromisoformat(first), date.fromisoformat(until))
        case list() | tuple() if value:
            return "\n".join(shown(each) for each in value)
        case _:
            return labels.shown(value)


def _span(start: str, end: str, planned_in: str | None) -> str:
    """Return `Thu 26 Nov 2026, 10:00 to 11:00`, and how that is where it is planned."""
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    here: zoneinfo.ZoneInfo = g.viewer.zone
    text = _clock(first, last, here)
    there = _zone(planned_in)
    if there is None or _is_same(there, here, first, last):
        return text
    name = there.key.rpartition("/")[2].replace("_", " ")
    return f"{text} (planned in {name}: {_clock(first, last, there)})"


def _clock(first: datetime, last: datetime, zone: tzinfo) -> str:
    first, last = first.astimezone(zone), last.astimezone(zone)
    is_one_day = first.date() == last.date()
    end = f"{last:%H:%M}" if is_one_day else f"{_day(last)}, {last:%H:%M}"
    return f"{_day(first)}, {first:%H:%M} to {end}"


def _is_same(one: tzinfo, other: tzinfo, *moments: datetime) -> bool:
    """Tell whether two zones have the same wall clock at these moments."""
    return all(
        m.astimezone(one).utcoffset() == m.astimezone(other).utcoffset()
        for m in moments
    )


def _zone(name: str | None) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return None


def _days(first: date, until: date) -> str:
    last = until - timedelta(days=1)  # the end is exclusive, which nobody writes
    if last <= first:
        return f"{_day(first)}, all day"
    return f"{_day(first)} to {_day(last)}, all day"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
