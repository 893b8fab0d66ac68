"""Event bodies: what a client wrote, checked and brought into the stored form.

Every rule raises the 400 that Google answers with.
"""

import re
from typing import Any

from deploy.demo.google import attendees, errors, model, recurrence, times

WRITABLE = frozenset(
    {
        "anyoneCanAddSelf",
        "attendees",
        "birthdayProperties",
        "colorId",
        "description",
        "end",
        "extendedProperties",
        "focusTimeProperties",
        "guestsCanInviteOthers",
        "guestsCanModify",
        "guestsCanSeeOtherGuests",
        "location",
        "outOfOfficeProperties",
        "recurrence",
        "reminders",
        "sequence",
        "source",
        "start",
        "status",
        "summary",
        "transparency",
        "visibility",
        "workingLocationProperties",
    }
)
_DEFAULTS: model.Json = {
    "anyoneCanAddSelf": False,
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
    "transparency": "opaque",
    "visibility": "default",
    "summary": "",
    "description": "",
    "location": "",
    "attendees": [],
    "recurrence": [],
    "extendedProperties": {},
}
_VALUES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "visibility": ("default", "public", "private", "confidential"),
    "transparency": ("opaque", "transparent"),
}
_ID = re.compile(r"[a-v0-9]{5,1024}")
_MOST_DESCRIPTION = 8192
_MOST_KEY, _MOST_VALUE = 44, 1024
_MOST_PROPERTIES, _MOST_PROPERTY_BYTES = 300, 32 * 1024
_MOST_REMINDERS, _MOST_REMINDER_MINUTES = 5, 40320


def check_id(event_id: str) -> None:
    """Raise 400 for an id that a client may not choose (facts 46 and 47)."""
    if not _ID.fullmatch(event_id):
        raise errors.invalid("Invalid resource id value.")


def writable(raw: model.Json) -> model.Json:
    """Return the fields that a client may write; Google ignores the others."""
    return {k: v for k, v in raw.items() if k in WRITABLE}


def merge(current: model.Json, changes: model.Json) -> model.Json:
    """Return a resource after a patch: null deletes, objects merge, arrays replace."""
    merged = dict(current)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            inner = merged.get(name)
            merged[name] = merge(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def canonical(raw: model.Json, calendar_zone: str) -> model.Json:
    """Return the stored form of a whole resource, or raise 400."""
    body: model.Json = _without_nulls(raw)
    body.setdefault("status", "confirmed")
    body.setdefault("reminders", {"useDefault": True})
    for name, allowed in _VALUES.items():
        if name in body and body[name] not in allowed:
            raise errors.invalid(f"Invalid value for: {name}")
    _check_texts(body)
    body["start"] = times.parse(body.get("start") or {}, "start", calendar_zone)
    body["end"] = times.parse(body.get("end") or {}, "end", calendar_zone)
    _check_range(body, calendar_zone)
    if body.get("recurrence"):
        _check_recurrence(body, raw, calendar_zone)
    _check_reminders(body["reminders"])
    _check_source(body.get("source"))
    if "attendees" in body:
        body["attendees"] = attendees.parse(body["attendees"])
    if "extendedProperties" in body:
        body["extendedProperties"] = _properties(body["extendedProperties"])
    return {k: v for k, v in body.items() if k not in _DEFAULTS or v != _DEFAULTS[k]}


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 -- any part of a body
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value if part is not None]
    return value


def _check_texts(body: model.Json) -> None:
    body["summary"] = body.get("summary", "").rstrip()
    if len(body.get("description", "")) > _MOST_DESCRIPTION:
        raise errors.too_large()


def _check_range(body: model.Json, calendar_zone: str) -> None:
    start, end = body["start"], body["end"]
    if times.is_all_day(start) != times.is_all_day(end):
        raise errors.invalid(
            "Start and end times must either both be date or both be dateTime."
        )
    # A zero-length event is taken: nothing says that Google refuses it (fact 82).
    if times.to_instant(end, calendar_zone) < times.to_instant(start, calendar_zone):
        raise errors.time_range_empty("end")


def _check_recurrence(body: model.Json, raw: model.Json, calendar_zone: str) -> None:
    if not times.is_all_day(body["start"]):
        for edge in ("start", "end"):
            if not raw[edge].get("timeZone"):
                raise errors.required(f"Missing time zone definition for {edge} time.")
    recurrence.Pattern(body, calendar_zone)


def _check_reminders(reminders: model.Json) -> None:
    overrides = reminders.get("overrides") or []
    if overrides and reminders.get("useDefault"):
        message = (
            "Cannot specify both default reminders and overrides at the same time."
        )
        raise errors.invalid(message)
    if len(overrides) > _MOST_REMINDERS:
        raise errors.invalid("Too many override reminders.")
    for override in overrides:
        minutes = override.get("minutes")
        if override.get("method") not in ("email", "popup") or minutes is None:
            raise errors.invalid("Invalid value for: reminders.overrides")
        if not 0 <= int(minutes) <= _MOST_REMINDER_MINUTES:
            raise errors.invalid("Invalid value for: reminders.overrides.minutes")


def _check_source(source: model.Json | None) -> None:
    if source and not str(source.get("url", "")).startswith(("http://", "https://")):
        raise errors.invalid("Invalid value for: source.url")


def _properties(raw: model.Json) -> model.Json:
    kept: model.Json = {}
    for scope in ("private", "shared"):
        # Google says nothing when it drops a long key or cuts a long value (fact 111).
        pairs = {
            key: str(value)[:_MOST_VALUE]
            for key, value in (raw.get(scope) or {}).items()
            if value is not None and len(key) <= _MOST_KEY
        }
        if pairs:
            kept[scope] = pairs
    every = [pair for pairs in kept.values() for pair in pairs.items()]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in every)
    if len(every) > _MOST_PROPERTIES or size > _MOST_PROPERTY_BYTES:
        raise errors.too_large()
    return kept
