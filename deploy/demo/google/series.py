"""Series, their occurrences and the exceptions to them, on one calendar.

The rows of a series change together: an edit of one occurrence gives the master and
all its exceptions a new etag and `updated`, as the recorded answers show.
"""

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from deploy.demo.google import model, recurrence, state

_NOT_INHERITED = frozenset({"recurrence"})
_OF_THE_OCCURRENCE = frozenset({"recurringEventId", "originalStartTime"})
_STRICTNESS = {"public": 0, "default": 1, "private": 2, "confidential": 2}


def pattern(master: model.EventCopy, calendar: model.Calendar) -> recurrence.Pattern:
    """Return the occurrences that a series has."""
    return recurrence.Pattern(master.body, calendar.time_zone)


def occurrence(
    master: model.EventCopy, found: recurrence.Occurrence
) -> model.EventCopy:
    """Return the event of an occurrence that is no exception."""
    body = {k: v for k, v in master.body.items() if k not in _NOT_INHERITED}
    body |= {
        "start": found.start,
        "end": found.end,
        "recurringEventId": master.id,
        "originalStartTime": found.start,
    }
    return dataclasses.replace(master, id=found.event_id(master.id), body=body)


def find(
    tx: state.Transaction, calendar: model.Calendar, event_id: str
) -> model.EventCopy | None:
    """Return the event of an id, which may name an occurrence, on a calendar."""
    stored = tx.get(calendar.id, event_id)
    if stored and stored.removal != model.Removal.SUPERSEDED:
        return stored
    series_id, _, suffix = event_id.rpartition("_")
    master = tx.get(calendar.id, series_id) if series_id else None
    if master is None or not master.is_series:
        return None
    found = pattern(master, calendar).at(suffix)
    return occurrence(master, found) if found else None


def expand(
    tx: state.Transaction,
    calendar: model.Calendar,
    master: model.EventCopy,
    window: tuple[datetime | None, datetime | None],
) -> Iterator[model.EventCopy]:
    """Yield the events of the occurrences in a window that are no exceptions."""
    excepted = {
        copy.id
        for copy in tx.exceptions(calendar.id, master.id)
        if copy.removal != model.Removal.SUPERSEDED
    }
    for found in pattern(master, calendar).between(*window):
        if found.event_id(master.id) not in excepted:
            yield occurrence(master, found)


def put(
    tx: state.Transaction, calendar: model.Calendar, copy: model.EventCopy
) -> model.EventCopy:
    """Store an event; bring the rest of its series, if it has one, up to date."""
    before = tx.get(calendar.id, copy.id)
    if copy.series_id:
        return _put_exception(tx, calendar, copy)
    stored = tx.put(copy)
    if copy.is_series or (before and before.is_series):
        _rebase_exceptions(tx, calendar, stored)
    return stored


def touch(tx: state.Transaction, calendar_id: str, series_id: str) -> None:
    """Give all rows of a series the same new etag, the master first."""
    rows = [tx.get(calendar_id, series_id), *tx.exceptions(calendar_id, series_id)]
    for row in rows:
        if row and row.removal != model.Removal.SUPERSEDED:
            tx.put(dataclasses.replace(row, updated=tx.stamp))


def _put_exception(
    tx: state.Transaction, calendar: model.Calendar, copy: model.EventCopy
) -> model.EventCopy:
    master = tx.get(calendar.id, copy.series_id)
    if master is None:
        return tx.put(copy)
    master, copy = _with_one_visibility(tx, calendar, master, copy)
    base = _base(calendar, master, copy)
    if base:
        own = sorted(_differences(base, copy.body))
        copy = dataclasses.replace(copy, overrides=own)
    tx.put(copy)
    touch(tx, calendar.id, master.id)
    return tx.get(calendar.id, copy.id) or copy


def _with_one_visibility(
    tx: state.Transaction,
    calendar: model.Calendar,
    master: model.EventCopy,
    copy: model.EventCopy,
) -> tuple[model.EventCopy, model.EventCopy]:
    """Let a stricter visibility apply to the whole series, a laxer one to nothing.

    That is what the discovery document says of `visibility` (fact 94).
    """
    before, after = _visibility(master), _visibility(copy)
    if _STRICTNESS[after] > _STRICTNESS[before]:
        master = tx.put(_with_visibility(master, after))
        _rebase_exceptions(tx, calendar, master)
    return master, _with_visibility(copy, _visibility(master))


def _visibility(copy: model.EventCopy) -> str:
    return str(copy.body.get("visibility", "default"))


def _with_visibility(copy: model.EventCopy, visibility: str) -> model.EventCopy:
    body = {k: v for k, v in copy.body.items() if k != "visibility"}
    if visibility != "default":
        body["visibility"] = visibility
    return dataclasses.replace(copy, body=body)


def _base(
    calendar: model.Calendar, master: model.EventCopy, exception: model.EventCopy
) -> model.Json | None:
    if not master.is_series:
        return None
    suffix = exception.id.removeprefix(f"{master.id}_")
    found = pattern(master, calendar).at(suffix)
    return occurrence(master, found).body if found else None


def _differences(base: model.Json, body: model.Json) -> set[str]:
    names = {*base, *body} - _OF_THE_OCCURRENCE
    return {name for name in names if base.get(name) != body.get(name)}


def _rebase_exceptions(
    tx: state.Transaction, calendar: model.Calendar, master: model.EventCopy
) -> None:
    for exception in tx.exceptions(calendar.id, master.id):
        if exception.removal == model.Removal.SUPERSEDED:
            continue
        base = _base(calendar, master, exception)
        if base is None:
            # The series moved away from this occurrence: its edit is void (fact 89).
            body = exception.body | {"status": "cancelled"}
            removal: str = model.Removal.SUPERSEDED
        else:
            own = {k: v for k, v in exception.body.items() if k in exception.overrides}
            inherited = {k: v for k, v in base.items() if k not in exception.overrides}
            body = inherited | own
            if master.is_cancelled:
                body["status"] = "cancelled"
            removal = master.removal
        tx.put(
            dataclasses.replace(
                exception, body=body, removal=removal, updated=master.updated
            )
        )
