"""Whether a task and an event are the same meeting, told without the core.

Knows as much as the records of the state machine need, and compares texts by words.
"""

import html
import re
from datetime import date, datetime, timedelta
from typing import Any

from shared.domain.model import Document
from shared.domain.settings import ConflictPolicy, Settings
from tests.property.sides import ANN, BOB

Form = dict[str, Any]
"""A meeting, by what is compared."""

_TAG = re.compile(r"</?[a-z]+[^<>]*>")
_INVISIBLE = "\u200d\ufe0f"
_IN_GOOGLE = {BOB.email: BOB.google}
_OWNER = {ANN.email, ANN.google}


def of_task(task: Document | None) -> Form | None:
    """Return what a task says of its meeting, with the guests' addresses in Google."""
    if task is None or task["deleted"] or task["status"] == "cancelled":
        return None
    emails = {row["email"] for row in task["attendees"]}
    return {
        "title": _words(task["title"]),
        "description": _words(task["description"]),
        "location": _words(task["location"]),
        "times": _times_of_task(task),
        "guests": {_IN_GOOGLE.get(email, email) for email in emails} - _OWNER,
    }


def of_event(event: Document | None) -> Form | None:
    """Return what an event says of its meeting."""
    if event is None or event["status"] == "cancelled":
        return None
    rows = {row["email"].lower(): row for row in event.get("attendees", ())}
    if rows.get(ANN.google or "", {}).get("responseStatus") == "declined":
        return None
    shown = _TAG.sub(" ", event.get("description", ""))
    return {
        "title": _words(event.get("summary")) or _words("(No title)"),
        "description": _words(html.unescape(shown)),
        "location": _words(event.get("location")),
        "times": _times_of_event(event),
        "guests": rows.keys() - _OWNER,
    }


def settle(base: Form, task: Form, event: Form, settings: Settings) -> Form | None:
    """Return what two edits of one meeting come to; None if time or a user decides."""
    if base in (task, event) or task == event:
        return event if task == base else task
    contested = [f for f in base if base[f] != task[f] != event[f] != base[f]]
    by_crm, by_google = task, event
    if settings.merge_disjoint_edits:
        by_crm = {f: event[f] if task[f] == base[f] else task[f] for f in base}
        by_google = by_crm | {f: event[f] for f in contested}
    if by_crm == by_google or settings.conflict_policy is ConflictPolicy.CRM_WINS:
        return by_crm
    is_googles = settings.conflict_policy is ConflictPolicy.GOOGLE_WINS
    return by_google if is_googles else None


def _words(text: str | None) -> list[str]:
    visible = (text or "").translate(dict.fromkeys(map(ord, _INVISIBLE)))
    return visible.split()


def _times_of_task(task: Document) -> tuple[Any, ...]:
    if task["due_date"] is not None:
        first_on = date.fromisoformat(task["due_date"])
        return first_on, first_on + timedelta(days=task["duration_days"] or 1)
    if task["due_at"] is None:
        return ()
    start = datetime.fromisoformat(task["due_at"])
    minutes = task["duration_minutes"]
    end = start + timedelta(minutes=60 if minutes is None else minutes)
    return start, end, task["time_zone"] or ANN.time_zone


def _times_of_event(event: Document) -> tuple[Any, ...]:
    start, end = event["start"], event["end"]
    if "date" in start:
        return date.fromisoformat(start["date"]), date.fromisoformat(end["date"])
    return (
        datetime.fromisoformat(start["dateTime"]),
        datetime.fromisoformat(end["dateTime"]),
        start["timeZone"],
    )
