"""Events as answers show them: to whom, in which zone, and what a deletion leaves."""

import base64
from dataclasses import dataclass

from deploy.demo.google import attendees, model, times

_HIDDEN = ("private", "confidential")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks at a calendar, and how: what all rows of an answer have in common."""

    calendar: model.Calendar
    role: model.Role
    zone: str
    most_attendees: int | None = None
    shows_deleted_details: bool = True


def render(copy: model.EventCopy, view: View) -> model.Json:
    """Return the resource of an event."""
    if copy.is_cancelled and not _keeps_details(copy, view):
        return _bare(copy, view)
    if view.role is model.Role.FREE_BUSY_READER:
        return _busy(copy, view)
    if copy.body.get("visibility") in _HIDDEN and not view.role.sees_private:
        return _busy(copy, view)
    return render_whole(copy, view)


def _keeps_details(copy: model.EventCopy, view: View) -> bool:
    # Only what the calendar's owner deleted can be restored (facts 64 to 66).
    return view.shows_deleted_details and copy.removal == model.Removal.BY_SELF


def _bare(copy: model.EventCopy, view: View) -> model.Json:
    row = {
        "kind": "calendar#event",
        "etag": copy.etag,
        "id": copy.id,
        "status": "cancelled",
    }
    return row | _origin(copy, view)


def _origin(copy: model.EventCopy, view: View) -> model.Json:
    if not copy.series_id:
        return {}
    return {
        "recurringEventId": copy.series_id,
        "originalStartTime": times.render(copy.body["originalStartTime"], view.zone),
    }


def _busy(copy: model.EventCopy, view: View) -> model.Json:
    row = {
        "kind": "calendar#event",
        "etag": copy.etag,
        "id": copy.id,
        "status": copy.body["status"],
        "created": model.timestamp(copy.created),
        "updated": model.timestamp(copy.updated),
        "visibility": "private",
        "start": times.render(copy.body["start"], view.zone),
        "end": times.render(copy.body["end"], view.zone),
        "iCalUID": copy.body["iCalUID"],
        "sequence": copy.body["sequence"],
        "eventType": copy.body["eventType"],
    }
    if copy.is_series:
        row["recurrence"] = copy.body["recurrence"]
    return row | _origin(copy, view)


def render_whole(copy: model.EventCopy, view: View) -> model.Json:
    """Return everything about an event, even about a deleted one."""
    row = dict(copy.body)
    row |= {
        "kind": "calendar#event",
        "etag": copy.etag,
        "id": copy.id,
        "htmlLink": _link(copy),
        "created": model.timestamp(copy.created),
        "updated": model.timestamp(copy.updated),
        "creator": _with_self(row["creator"], view),
        "organizer": _with_self(row["organizer"], view),
        "start": times.render(row["start"], view.zone),
        "end": times.render(row["end"], view.zone),
    }
    row |= _origin(copy, view)
    if "attendees" in row:
        rows, is_short = attendees.render(copy, view.calendar, view.most_attendees)
        row["attendees"] = rows
        if is_short:
            row["attendeesOmitted"] = True
    return row


def _with_self(person: model.Json, view: View) -> model.Json:
    # On a secondary calendar `self` is the calendar, not the account (fact 119).
    if person["email"] == view.calendar.id:
        return person | {"self": True}
    return person


def _link(copy: model.EventCopy) -> str:
    calendar_id = copy.calendar_id
    if calendar_id.endswith("@gmail.com"):
        calendar_id = calendar_id.removesuffix("gmail.com") + "m"
    eid = base64.urlsafe_b64encode(f"{copy.id} {calendar_id}".encode()).decode()
    return f"https://www.google.com/calendar/event?eid={eid.rstrip('=')}"
