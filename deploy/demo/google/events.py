"""The methods of the `events` resource that write."""

import dataclasses
import hashlib

from deploy.demo.google import (
    attendees,
    bodies,
    copies,
    errors,
    event_types,
    mails,
    model,
    series,
    writing,
)

_OWN = ("eventType", "iCalUID")


def insert(edit: writing.Edit, raw: model.Json) -> model.EventCopy:
    """Create an event, under the client's id if it gave one."""
    event_id, uid = raw.get("id"), raw.get("iCalUID")
    if event_id:
        bodies.check_id(event_id)
        if uid and uid != f"{event_id}@google.com":
            raise errors.invalid("Only one of id and iCalUID may be given.")
        if edit.tx.get(edit.calendar.id, event_id):
            raise errors.duplicate()
    event_id = event_id or new_id(edit)
    body = _new_body(edit, raw) | {"iCalUID": uid or f"{event_id}@google.com"}
    event_types.check_insert(body, edit.calendar)
    return _create(edit, event_id, body)


def import_event(edit: writing.Edit, raw: model.Json) -> model.EventCopy:
    """Add or renew a private copy of an event of another system (fact 137)."""
    uid = raw.get("iCalUID")
    if not uid:
        raise errors.required("Missing iCalUID.")
    if raw.get("eventType", "default") != "default":
        raise errors.invalid("Only default events can be imported.")
    body = _new_body(edit, raw) | {"iCalUID": uid, "privateCopy": True}
    if organizer := (raw.get("organizer") or {}).get("email"):
        body["organizer"] = {"email": organizer}
    digest = hashlib.sha256(uid.encode()).digest()
    event_id = f"_{model.base32hex(digest)}"
    known = edit.tx.get(edit.calendar.id, event_id)
    if known is None:
        return _create(edit, event_id, body)
    renewed = dataclasses.replace(
        known, body=body, removal=model.Removal.NOT, updated=edit.tx.stamp
    )
    return series.put(edit.tx, edit.calendar, renewed)


def update(edit: writing.Edit, event_id: str, raw: model.Json) -> model.EventCopy:
    """Replace an event: what is left out is cleared."""
    current = edit.existing(event_id)
    edit.check_etag(current)
    if current.is_cancelled and "status" not in raw:
        raise errors.forbidden()
    whole = bodies.writable(raw)
    if raw.get("attendeesOmitted"):
        whole["attendees"] = _own_answer_only(edit, current, raw)
    body = writing.replace_body(edit, current, whole)
    return writing.store(edit, current, body)


def patch(edit: writing.Edit, event_id: str, raw: model.Json) -> model.EventCopy:
    """Change the named fields of an event."""
    current = edit.existing(event_id)
    edit.check_etag(current)
    if current.is_cancelled and "status" not in raw:
        raise errors.forbidden()
    changes = bodies.writable(raw)
    if (changes.get("reminders") or {}).get("useDefault"):
        # The defaults take the place of what was there, which a merge would keep.
        changes["reminders"] = {"overrides": None, **changes["reminders"]}
    if raw.get("attendeesOmitted"):
        changes["attendees"] = _own_answer_only(edit, current, raw)
    own = bodies.writable(current.body)
    own.pop("sequence", None)
    body = writing.replace_body(edit, current, bodies.merge(own, changes))
    return writing.store(edit, current, body)


def delete(edit: writing.Edit, event_id: str) -> None:
    """Delete an event, or cancel an occurrence of a series."""
    current = edit.existing(event_id)
    if current.is_cancelled:
        raise errors.deleted()
    edit.check_etag(current)
    writing.store(edit, current, current.body | {"status": "cancelled"})


def move(
    edit: writing.Edit, event_id: str, destination: model.Calendar
) -> model.EventCopy:
    """Give an event to another calendar, which becomes its organizer.

    Answers the old calendar's copy, cancelled, as Google was seen to (fact 136).
    """
    current = edit.existing(event_id)
    edit.check_etag(current)
    _check_move(edit, current, destination)
    organizer = _organizer(destination)
    rows = [current, *edit.tx.exceptions(edit.calendar.id, current.id)]
    for row in rows:
        moved = dataclasses.replace(
            row,
            calendar_id=destination.id,
            body=row.body | {"organizer": organizer},
            updated=edit.tx.stamp,
        )
        edit.tx.put(moved)
        _leave_behind(edit, row, moved)
    guests = attendees.addresses(current.body)
    copies.spread(edit.tx, destination, current.id, guests)
    after = edit.tx.get(destination.id, current.id) or current
    mails.announce(edit.tx, current, after, edit.send_updates, edit.account)
    body = after.body | {"status": "cancelled"}
    return dataclasses.replace(after, calendar_id=edit.calendar.id, body=body)


def new_id(edit: writing.Edit) -> str:
    """Return a fresh id: 26 characters of base32hex, as in Google's samples."""
    seed = f"{edit.calendar.id}\n{edit.tx.stamp}\n{edit.tx.state.sequence}"
    return model.base32hex(hashlib.sha256(seed.encode()).digest()[:16])


def _create(edit: writing.Edit, event_id: str, body: model.Json) -> model.EventCopy:
    removal = model.Removal.NOT
    if body["status"] == "cancelled":
        removal = model.Removal.BY_SELF
    # Google rounds `created` to the second (recorded answers).
    second = edit.tx.stamp - edit.tx.stamp % 1_000_000
    copy = model.EventCopy(
        calendar_id=edit.calendar.id,
        id=event_id,
        body=body,
        created=second,
        updated=edit.tx.stamp,
        removal=removal,
    )
    stored = edit.tx.put(copy)
    copies.spread(edit.tx, edit.calendar, event_id, attendees.addresses(body))
    mails.announce(edit.tx, None, stored, edit.send_updates, edit.account)
    return stored


def _new_body(edit: writing.Edit, raw: model.Json) -> model.Json:
    written = bodies.writable(raw)
    sequence = int(written.pop("sequence", None) or 0)
    body = bodies.canonical(written, edit.calendar.time_zone)
    return body | {
        "eventType": raw.get("eventType") or "default",
        "sequence": sequence,
        "creator": {"email": edit.account},
        "organizer": _organizer(edit.calendar),
    }


def _organizer(calendar: model.Calendar) -> model.Json:
    if calendar.is_secondary:
        return {"email": calendar.id, "displayName": calendar.summary}
    return {"email": calendar.id}


def _own_answer_only(
    edit: writing.Edit, current: model.EventCopy, raw: model.Json
) -> list[model.Json]:
    """Return the present guests with the caller's own new answer (fact 127)."""
    person = edit.calendar.id
    written = attendees.find({"attendees": raw.get("attendees") or []}, person)
    if written is None:
        return attendees.rows_of(current.body)
    reply = attendees.answer(written)
    return attendees.rows_of(attendees.answered(current.body, person, reply))


def _check_move(
    edit: writing.Edit, current: model.EventCopy, destination: model.Calendar
) -> None:
    if current.is_cancelled:
        raise errors.forbidden()
    if current.series_id:
        message = "Cannot change the organizer of an instance."
        raise errors.invalid(message)
    if current.body["eventType"] != "default":
        raise errors.invalid("Only default events can be moved.")
    if not current.is_organizer_copy:
        raise errors.forbidden_for_non_organizer()
    if destination.id == edit.calendar.id:
        return
    taken = edit.tx.get(destination.id, current.id)
    if taken is None or taken.was_taken_away:
        return
    if taken.is_organizer_copy or taken.is_cancelled:
        raise errors.duplicate()


def _leave_behind(
    edit: writing.Edit, row: model.EventCopy, moved: model.EventCopy
) -> None:
    if moved.calendar_id == row.calendar_id:
        return
    if attendees.find(row.body, row.calendar_id):
        edit.tx.put(dataclasses.replace(moved, calendar_id=row.calendar_id))
        return
    gone = dataclasses.replace(
        row,
        body=row.body | {"status": "cancelled"},
        removal=model.Removal.BY_OTHERS,
        updated=edit.tx.stamp,
    )
    edit.tx.put(gone)
