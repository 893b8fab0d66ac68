"""Reads what a client writes: one clear complaint for each field that is not valid.

The rules are those of `TaskWrite` in the contract, and what a schema cannot say of it.
Unknown fields are left aside, as the contract allows them.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from deploy.demo import admin_input, storage, zones
from deploy.demo.crm import instants, problems

_MOST_TITLE = 1000
_MOST_NOTIFICATION_TITLE = 200
_STATUSES = ("open", "completed", "cancelled")
_RESPONSES = ("needs_action", "accepted", "declined", "tentative")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

Rule: TypeAlias = Callable[[Any], Any]
"""Returns a value as it is kept, or raises `InvalidError`."""


class InvalidError(Exception):
    """A value is not valid; the message says what it must be."""


def read_task(
    raw: storage.Json, *, owners: Collection[str], required: Collection[str] = ()
) -> storage.Json:
    """Return the fields of a task as they are kept, or raise 422."""
    return _read(raw, {**_TASK, "owner_id": _owner(owners)}, required)


def read_notification(raw: storage.Json) -> storage.Json:
    """Return the fields of a message, or raise 422."""
    return _read(raw, _NOTIFICATION, ("title",))


def _read(
    raw: storage.Json, rules: Mapping[str, Rule], required: Collection[str]
) -> storage.Json:
    values, errors = {}, {name: "is required" for name in required if name not in raw}
    for name, rule in rules.items():
        if name in raw:
            try:
                values[name] = rule(raw[name])
            except InvalidError as error:
                errors[name] = str(error)
    if errors:
        raise problems.not_valid(errors)
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = "must be a text"
        raise InvalidError(message)
    return value


def _some_text(value: object) -> str:
    if not _text(value).strip():
        message = "must not be empty"
        raise InvalidError(message)
    return _text(value)


def _short(most: int, rule: Rule) -> Rule:
    def short(value: object) -> Any:  # noqa: ANN401 -- what the rule returns
        if len(rule(value)) > most:
            message = f"must have at most {most} characters"
            raise InvalidError(message)
        return rule(value)

    return short


def _nullable(rule: Rule) -> Rule:
    return lambda value: None if value is None else rule(value)


def _one_of(allowed: Collection[str]) -> Rule:
    def rule(value: object) -> str:
        if value not in allowed:
            message = f"must be one of {', '.join(allowed)}"
            raise InvalidError(message)
        return _text(value)

    return rule


def _whole(least: int) -> Rule:
    def rule(value: object) -> int:
        number = _whole_number(value)
        if number is None or number < least:
            message = f"must be a whole number of at least {least}"
            raise InvalidError(message)
        return number

    return rule


def _whole_number(value: object) -> int | None:
    # In JSON Schema 60.0 is an integer too, and true is none.
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case _:
            return None


def _instant(value: object) -> str:
    at = instants.parse_instant(_text(value))
    if at is None:
        message = "must be an instant with an offset, such as 2026-11-24T10:00:00Z"
        raise InvalidError(message)
    return instants.shown(at)


def _date(value: object) -> str:
    day = instants.parse_date(_text(value))
    if day is None:
        message = "must be a date such as 2026-11-24"
        raise InvalidError(message)
    return day.isoformat()


def _zone(value: object) -> str:
    if zones.find(_text(value)) is None:
        message = "must be the IANA name of a time zone"
        raise InvalidError(message)
    return _text(value)


def _owner(owners: Collection[str]) -> Rule:
    def rule(value: object) -> str:
        if _text(value) not in owners:
            message = "must be the id of a user"
            raise InvalidError(message)
        return _text(value)

    return rule


def _link(value: object) -> str:
    scheme, _, rest = _text(value).partition(":")
    try:
        urlsplit(_text(value))
    except ValueError:
        rest = ""
    if not _SCHEME.fullmatch(scheme) or not rest or re.search(r"\s", rest):
        message = "must be an address such as https://example.com/"
        raise InvalidError(message)
    return _text(value)


def _attendees(value: object) -> list[storage.Json]:
    if not isinstance(value, list):
        message = "must be a list"
        raise InvalidError(message)
    return [_attendee(number, row) for number, row in enumerate(value)]


def _attendee(number: int, row: object) -> storage.Json:
    if not isinstance(row, dict) or "email" not in row:
        message = f"[{number}] must be an object with an email"
        raise InvalidError(message)
    kept: storage.Json = {"email": "", "name": None, "response": "needs_action"}
    for name, rule in _ATTENDEE.items():
        try:
            kept |= {name: rule(row[name])} if name in row else {}
        except InvalidError as error:
            message = f"[{number}].{name} {error}"
            raise InvalidError(message) from error
    return kept


def _email(value: object) -> str:
    if not admin_input.is_address(_text(value)):
        message = "must be an e-mail address"
        raise InvalidError(message)
    return _text(value)


_ATTENDEE: Mapping[str, Rule] = {
    "email": _email,
    "name": _nullable(_text),
    "response": _one_of(_RESPONSES),
}
_TASK: Mapping[str, Rule] = {
    "type": _some_text,
    "title": _short(_MOST_TITLE, _some_text),
    "description": _nullable(_text),
    "location": _nullable(_text),
    "status": _one_of(_STATUSES),
    "due_at": _nullable(_instant),
    "due_date": _nullable(_date),
    "duration_minutes": _nullable(_whole(0)),
    "duration_days": _nullable(_whole(1)),
    "time_zone": _nullable(_zone),
    "attendees": _attendees,
    "google_event_id": _nullable(_text),
    "google_calendar_id": _nullable(_text),
}
_NOTIFICATION: Mapping[str, Rule] = {
    "title": _short(_MOST_NOTIFICATION_TITLE, _text),
    "body": _text,
    "link": _link,
    "key": _text,
}
