"""The common form: its comparison, and how it is stored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, assert_never

from shared.domain import text, zones
from shared.domain.model import (
    Address,
    AllDay,
    Baseline,
    Document,
    Field,
    Meeting,
    Response,
    Timed,
    When,
)

TITLE_LIMIT = 1000
"""What the CRM takes."""

UNTITLED = "(No title)"
"""What a task is called whose event has no title; never written to Google."""

REDACTED = "Private"
"""What a task is called whose event is private."""


def title(written: str) -> str:
    """Return the title of a meeting, as either side wrote it, in canonical form."""
    return text.single_line(written)[:TITLE_LIMIT].strip() or UNTITLED


def cancelled(meeting: Meeting) -> Meeting:
    """Return the meeting as it is after its cancellation."""
    return replace(meeting, cancelled=True)


def redacted(meeting: Meeting) -> Meeting:
    """Return what may be known of a private meeting: when it is."""
    nobody: frozenset[Address] = frozenset()
    return replace(
        meeting, title=REDACTED, description="", location="", attendees=nobody
    )


def changed_fields(one: Meeting, other: Meeting) -> frozenset[Field]:
    """Return the fields in which two meetings really differ.

    Instants are compared, not their spelling; zones by their clocks; texts without
    what gets rewritten on the way. Of cancelled meetings nothing else counts.
    """
    if one.cancelled and other.cancelled:
        return frozenset()
    return frozenset(f for f, differ in _COMPARISONS.items() if differ(one, other))


def _whens_differ(one: When, other: When) -> bool:
    if isinstance(one, Timed) and isinstance(other, Timed):
        same_instants = one.start == other.start and one.end == other.end
        return not (same_instants and zones.same_zone(one.zone, other.zone))
    return one != other


def _descriptions_differ(one: str, other: str) -> bool:
    """Compare as much as fits into Google: what was cut off there is no edit."""
    if text.is_shortened(one, other) or text.is_shortened(other, one):
        return False
    return _texts_differ(text.shortened(one), text.shortened(other))


def _texts_differ(one: str, other: str) -> bool:
    return text.comparable(one) != text.comparable(other)


_COMPARISONS: dict[Field, Callable[[Meeting, Meeting], bool]] = {
    Field.TITLE: lambda a, b: _texts_differ(a.title, b.title),
    Field.DESCRIPTION: lambda a, b: _descriptions_differ(a.description, b.description),
    Field.LOCATION: lambda a, b: _texts_differ(a.location, b.location),
    Field.WHEN: lambda a, b: _whens_differ(a.when, b.when),
    Field.ATTENDEES: lambda a, b: a.attendees != b.attendees,
    Field.CANCELLED: lambda a, b: a.cancelled != b.cancelled,
}


# -- stored form ------------------------------------------------------------------


def meeting_to_document(meeting: Meeting) -> dict[str, Any]:
    """Return the meeting as a JSON object."""
    return {
        "title": meeting.title,
        "description": meeting.description,
        "location": meeting.location,
        "when": _when_to_document(meeting.when),
        "attendees": sorted(meeting.attendees),
        "cancelled": meeting.cancelled,
    }


def meeting_from_document(document: Document) -> Meeting:
    """Return the meeting that `meeting_to_document` wrote."""
    return Meeting(
        title=document["title"],
        description=document["description"],
        location=document["location"],
        when=_when_from_document(document["when"]),
        attendees=frozenset(Address(email) for email in document["attendees"]),
        cancelled=document["cancelled"],
    )


def baseline_to_document(baseline: Baseline) -> dict[str, Any]:
    """Return the baseline as a JSON object."""
    return {
        "meeting": meeting_to_document(baseline.meeting),
        "responses": {k: v.value for k, v in sorted(baseline.responses.items())},
    }


def baseline_from_document(document: Document) -> Baseline:
    """Return the baseline that `baseline_to_document` wrote."""
    responses = document["responses"].items()
    return Baseline(
        meeting=meeting_from_document(document["meeting"]),
        responses={Address(email): Response(answer) for email, answer in responses},
    )


def _when_to_document(when: When) -> dict[str, str]:
    match when:
        case Timed():
            return {
                "start": when.start.isoformat(),
                "end": when.end.isoformat(),
                "time_zone": when.zone,
            }
        case AllDay():
            return {
                "first_on": when.first_on.isoformat(),
                "until_on": when.until_on.isoformat(),
            }
        case _:  # pragma: no cover
            assert_never(when)


def _when_from_document(document: Document) -> When:
    if "first_on" in document:
        return AllDay(
            first_on=date.fromisoformat(document["first_on"]),
            until_on=date.fromisoformat(document["until_on"]),
        )
    return Timed(
        start=datetime.fromisoformat(document["start"]),
        end=datetime.fromisoformat(document["end"]),
        zone=document["time_zone"],
    )
