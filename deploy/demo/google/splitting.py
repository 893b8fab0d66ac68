"""What the web page of Google Calendar does for "this and following events".

No API method does this. The shapes are those of the recorded answers: the old series
ends the evening before; the new one has the old one's `created`, and an id derived from
the old one unless its hours changed.
"""

import dataclasses
import re
from datetime import UTC, datetime, time, timedelta

from deploy.demo.google import (
    attendees,
    bodies,
    copies,
    errors,
    events,
    model,
    recurrence,
    series,
    times,
    writing,
)

_COUNT = re.compile(r"(?<=[:;])COUNT=(\d+)", re.IGNORECASE)
_ENDS = ("UNTIL=", "COUNT=")


def split(
    edit: writing.Edit, occurrence_id: str, changes: model.Json
) -> model.EventCopy:
    """Change an occurrence and all after it; return the new series."""
    found = edit.existing(occurrence_id)
    master = edit.tx.get(edit.calendar.id, found.series_id)
    if master is None or not master.is_series:
        raise errors.invalid("Only an occurrence of a series can be split off.")
    start = found.body["originalStartTime"]
    follower = _follower(edit, master, found, changes)
    _shorten(edit, master, start)
    stored = series.put(edit.tx, edit.calendar, follower)
    guests = attendees.addresses(stored.body) | attendees.addresses(master.body)
    copies.spread(edit.tx, edit.calendar, master.id, guests)
    copies.spread(edit.tx, edit.calendar, stored.id, guests)
    return stored


def _follower(
    edit: writing.Edit,
    master: model.EventCopy,
    found: model.EventCopy,
    changes: model.Json,
) -> model.EventCopy:
    own = {k: v for k, v in master.body.items() if k not in bodies.WRITABLE}
    start = found.body["originalStartTime"]
    lines = [_left(edit, master, start, line) for line in master.body["recurrence"]]
    first = bodies.writable(found.body) | {"recurrence": lines}
    raw = bodies.merge(first, bodies.writable(changes))
    raw.pop("sequence", None)
    body = own | bodies.canonical(raw, edit.calendar.time_zone)
    has_moved = body["start"] != start
    event_id = events.new_id(edit)
    if not has_moved:
        root = master.id.partition("_R")[0]
        event_id = f"{root}_R{times.suffix(start).removesuffix('Z')}"
    body["iCalUID"] = f"{event_id}@google.com"
    body["sequence"] = master.body["sequence"] + int(has_moved)
    return model.EventCopy(
        calendar_id=edit.calendar.id,
        id=event_id,
        body=body,
        created=master.created,
        updated=edit.tx.stamp,
    )


def _left(
    edit: writing.Edit, master: model.EventCopy, start: model.Json, line: str
) -> str:
    """Return a line of the series without the occurrences before its new start."""
    count = _COUNT.search(line)
    if not count:
        return line
    zone = edit.calendar.time_zone
    alone = recurrence.Pattern(master.body | {"recurrence": [line]}, zone)
    gone = sum(1 for _ in alone.between(None, times.to_instant(start, zone)))
    return _COUNT.sub(f"COUNT={int(count[1]) - gone}", line)


def _without_end(line: str) -> str:
    name, _, rule = line.partition(":")
    parts = (part for part in rule.split(";") if not part.upper().startswith(_ENDS))
    return f"{name}:{';'.join(parts)}"


def _shorten(edit: writing.Edit, master: model.EventCopy, start: model.Json) -> None:
    until = _until(start, edit.calendar.time_zone)
    lines = [
        f"{_without_end(line)};UNTIL={until}" if line.startswith("RRULE") else line
        for line in master.body["recurrence"]
    ]
    body = master.body | {"recurrence": lines}
    shortened = dataclasses.replace(master, body=body, updated=edit.tx.stamp)
    series.put(edit.tx, edit.calendar, shortened)


def _until(start: model.Json, calendar_zone: str) -> str:
    if times.is_all_day(start):
        day = datetime.fromisoformat(start["date"]) - timedelta(days=1)
        return f"{day:%Y%m%d}"
    zone = times.known_zone(start.get("timeZone", calendar_zone))
    first_day = times.to_instant(start, calendar_zone).astimezone(zone).date()
    midnight = datetime.combine(first_day, time.min, tzinfo=zone)
    last = midnight.astimezone(UTC) - timedelta(seconds=1)
    return f"{last:%Y%m%dT%H%M%SZ}"
