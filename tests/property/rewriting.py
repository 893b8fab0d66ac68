"""What Google makes of an event that is written to it.

Nothing here is any change that a person made: zones are rendered, guests reordered,
and its web page stores descriptions as HTML (facts 39, 79, 81, 91, 119).
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.domain.model import Document
from tests.property import strategies

ACCOUNT = "ann@google.example"


def _as_lines(plain: str) -> str:
    return html.escape(plain).replace("\n", "<br>")


def _as_divisions(plain: str) -> str:
    lines = (f"<div>{html.escape(line) or '<br>'}</div>" for line in plain.split("\n"))
    return "".join(lines)


def _as_paragraphs(plain: str) -> str:
    lines = (f"<p><span>{html.escape(line)}</span></p>\n" for line in plain.split("\n"))
    return "".join(lines)


def _with_hard_blanks(plain: str) -> str:
    return _as_lines(plain).replace("  ", "&nbsp; ")


EDITORS: tuple[Callable[[str], str], ...] = (
    _as_lines,
    _as_divisions,
    _as_paragraphs,
    _with_hard_blanks,
)
"""How a web page may store a text that it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How one calendar shows its events."""

    zone: str
    names_own_zone: bool
    backwards: bool
    shouts: bool


habits = st.builds(
    Habits,
    zone=strategies.zones,
    names_own_zone=st.booleans(),
    backwards=st.booleans(),
    shouts=st.booleans(),
)


def stored(body: Document, habit: Habits) -> dict[str, Any]:
    """Return the event that Google shows after `body` was written."""
    event: dict[str, Any] = {
        "kind": "calendar#event",
        "etag": '"1"',
        "status": "confirmed",
        "created": "2026-03-01T08:00:00.000Z",
        "updated": "2026-03-01T08:00:00.000Z",
        "creator": {"email": ACCOUNT, "self": True},
        "organizer": {"email": ACCOUNT, "self": True},
        "iCalUID": f"{body['id']}@google.com",
        **body,
        "summary": body.get("summary", "").rstrip(),
        "start": _edge(body["start"], habit),
        "end": _edge(body["end"], habit),
        "attendees": [_row(row, habit) for row in body.get("attendees", ())],
    }
    if habit.backwards:
        event["attendees"].reverse()
    return {name: value for name, value in event.items() if value not in ("", [])}


def _edge(edge: Document, habit: Habits) -> dict[str, Any]:
    if edge.get("date"):
        return {"date": edge["date"]}
    at = datetime.fromisoformat(edge["dateTime"]).replace(microsecond=0)
    shown = at.astimezone(ZoneInfo(habit.zone)).isoformat()
    named = {"timeZone": edge.get("timeZone") or habit.zone}
    if not habit.names_own_zone and named["timeZone"] == habit.zone:
        named = {}
    return {"dateTime": shown.replace("+00:00", "Z"), **named}


def _row(row: Document, habit: Habits) -> dict[str, Any]:
    email = row["email"].upper() if habit.shouts else row["email"]
    flags: dict[str, Any] = {}
    if email.lower() == ACCOUNT:
        flags |= {"self": True, "organizer": True}
    if email.lower() == strategies.ROOM:
        flags |= {"resource": True}
    return {"responseStatus": "needsAction", **row, "email": email, **flags}


def patched(event: Document, patch: Document) -> dict[str, Any]:
    """Return an event after a patch: objects merge, null removes (fact 114)."""
    merged = dict(event)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = patched(merged.get(name, {}), value)
        else:
            merged[name] = value
    return merged
