"""The settings document as a form, and back: a form has texts only, in flat fields.

A line of the table of types has three fields: `type-0` names it, `synced-0` is sent if
it is ticked, `minutes-0` is its duration. Line `new` is for a type that is not listed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NEW = "new"
LIMITS: Mapping[str, int] = {
    "window_past_days": 3660,
    "window_future_days": 3660,
    "mass_deletion_limit": 1_000_000,
}
"""The largest value of each field that is a number."""
ANCHORS: Mapping[str, str] = {
    "frequency": "frequency-realtime",
    "conflict_policy": "conflict_policy-last_modified_wins",
    "guest_notifications": "guest_notifications-none",
}
"""Where a link to a choice leads: its first option."""

_NAMES = {
    "frequency": "How often",
    "conflict_policy": "Who wins",
    "guest_notifications": "Mail to guests",
    "default_task_type": "Default type",
    "window_past_days": "Days back",
    "window_future_days": "Days ahead",
    "mass_deletion_limit": "Deletions at once",
    f"type-{NEW}": "Another type",
}
_CHOICES = (
    "frequency",
    "conflict_policy",
    "guest_notifications",
    "default_task_type",
)
_SWITCHES = (
    "create_tasks_from_google",
    "include_all_day",
    "import_private_events",
    "merge_disjoint_edits",
)
_TYPE = re.compile(r"type-([0-9]{1,3})")
_OURS = re.compile(rf"(type|synced|minutes)-([0-9]{{1,3}}|{NEW})")
_FALLBACK_MINUTES = 60
YES = "yes"


def values_of(document: Mapping[str, Any], seen: Sequence[str]) -> dict[str, str]:
    """Return a document as the form shows it; types that were seen are offered too."""
    values = {name: str(document[name]) for name in (*_CHOICES, *LIMITS)}
    values |= {name: YES for name in _SWITCHES if document[name]}
    synced, minutes = document["task_types"], document["default_duration_minutes"]
    for number, name in enumerate(dict.fromkeys([*synced, *minutes, *seen])):
        values[f"type-{number}"] = name
        values[f"minutes-{number}"] = str(minutes.get(name, _FALLBACK_MINUTES))
        if synced.get(name):
            values[f"synced-{number}"] = YES
    return values


def types_of(values: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return the types that the form lists, with the numbers of their lines."""
    found = [(_TYPE.fullmatch(name), text) for name, text in values.items()]
    return sorted((int(match[1]), text) for match, text in found if match)


def document_of(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the document that a form stands for; what is no number stays a text."""
    document: dict[str, Any] = {n: values.get(n, "").strip() for n in _CHOICES}
    document |= {name: _number(values.get(name, "")) for name in LIMITS}
    document |= {name: values.get(name) == YES for name in _SWITCHES}
    document["task_types"] = {
        name: values.get(f"synced-{line}") == YES for line, name in _lines(values)
    }
    document["default_duration_minutes"] = {
        name: _number(values.get(f"minutes-{line}", ""))
        for line, name in _lines(values)
    }
    return document


def named(mistakes: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong by field of the form; the API names fields of a document."""
    lines = {name: line for line, name in _lines(values)}
    return {_field(name, lines): text for name, text in mistakes.items()}


def sent_again(values: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that are sent once more by whoever confirms a change."""
    known = {*_CHOICES, *LIMITS, *_SWITCHES}
    return {k: v for k, v in values.items() if k in known or _OURS.fullmatch(k)}


def names_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return what the fields are called that can be wrong."""
    lines = {f"minutes-{line}": f"Duration of {name}" for line, name in _lines(values)}
    return {**_NAMES, **lines}


def _lines(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield every line of the table with the type on it."""
    yield from ((str(number), name) for number, name in types_of(values))
    if added := values.get(f"type-{NEW}", "").strip():
        yield NEW, added


def _field(name: str, lines: Mapping[str, str]) -> str:
    document, _, key = name.partition(".")
    if document == "default_duration_minutes":
        return f"minutes-{lines.get(key, NEW)}"
    if document == "task_types":
        return f"type-{NEW}"  # the others are not typed in
    return document


def _number(text: str) -> int | str:
    text = text.strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text
