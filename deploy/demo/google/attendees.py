"""The rows of `attendees`: read, compared by address, answered, shown to a calendar."""

import re
from collections.abc import Iterable

from deploy.demo.google import errors, model

ANSWER = ("responseStatus", "comment", "additionalGuests")
"""What a guest says about coming, which travels from copy to copy (fact 124)."""

_WRITABLE = ("email", "displayName", "optional", "resource", *ANSWER)
_STATUSES = ("needsAction", "declined", "tentative", "accepted")
_DEFAULTS: model.Json = {
    "displayName": "",
    "optional": False,
    "resource": False,
    "comment": "",
    "additionalGuests": 0,
}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def parse(rows: Iterable[model.Json]) -> list[model.Json]:
    """Return the stored form of written rows, or raise 400; an address counts once."""
    found: dict[str, model.Json] = {}
    for row in rows:
        address = row.get("email") or ""
        if not _ADDRESS.fullmatch(address):
            raise errors.invalid("Invalid attendee email.")
        status = row.get("responseStatus") or "needsAction"
        if status not in _STATUSES:
            raise errors.invalid("Invalid value for: attendees.responseStatus")
        kept = {
            name: row[name]
            for name in _WRITABLE
            if row.get(name) is not None and row[name] != _DEFAULTS.get(name)
        }
        found.setdefault(address.casefold(), kept | {"responseStatus": status})
    return list(found.values())


def rows_of(body: model.Json) -> list[model.Json]:
    """Return the rows of an event."""
    rows: list[model.Json] = body.get("attendees", [])
    return rows


def addresses(body: model.Json) -> set[str]:
    """Return the addresses of an event's rows."""
    return {row["email"] for row in rows_of(body)}


def find(body: model.Json, address: str) -> model.Json | None:
    """Return the row of an address."""
    folded = address.casefold()
    return next((r for r in rows_of(body) if r["email"].casefold() == folded), None)


def answer(row: model.Json | None) -> model.Json:
    """Return what a row says about coming."""
    return {name: row[name] for name in ANSWER if row and name in row}


def answered(body: model.Json, address: str, reply: model.Json) -> model.Json:
    """Return an event in which the guest of an address gives this answer."""
    folded = address.casefold()
    rows = [
        {k: v for k, v in row.items() if k not in ANSWER} | reply
        if row["email"].casefold() == folded
        else row
        for row in rows_of(body)
    ]
    return body | {"attendees": rows} if rows else body


def render(
    copy: model.EventCopy, calendar: model.Calendar, most: int | None
) -> tuple[list[model.Json], bool]:
    """Return the rows as a calendar sees them, and whether some were left out."""
    organizer = copy.body["organizer"]["email"].casefold()
    rows = []
    for row in rows_of(copy.body):
        shown = dict(row)
        if row["email"].casefold() == organizer:
            shown["organizer"] = True
        if row["email"].casefold() == calendar.id.casefold():
            shown["self"] = True
        rows.append(shown)
    hidden = copy.body.get("guestsCanSeeOtherGuests") is False
    if hidden and not copy.is_organizer_copy:
        seen = [row for row in rows if row.get("self") or row.get("organizer")]
        return seen, len(seen) < len(rows)
    if most is not None and len(rows) > most:
        return [row for row in rows if row.get("self")], True
    return rows, False
