"""The rules that every change of an event obeys, whoever makes it and how."""

import dataclasses
from dataclasses import dataclass

from deploy.demo.google import (
    attendees,
    bodies,
    copies,
    errors,
    mails,
    model,
    series,
    state,
)

_PRIVATE = frozenset({"reminders", "colorId", "transparency", "sequence", "source"})
_GUEST_RIGHTS = (
    "anyoneCanAddSelf",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
)
_LOCKED = ("summary", "description", "location", "start", "end", "recurrence")
_BUMPS_SEQUENCE = ("start", "end")
_FROM_GMAIL = frozenset(
    {
        "attendees",
        "colorId",
        "extendedProperties",
        "reminders",
        "sequence",
        "status",
        "transparency",
        "visibility",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One account's change of one calendar: what all steps of a write need."""

    tx: state.Transaction
    calendar: model.Calendar
    account: str
    role: model.Role = model.Role.OWNER
    send_updates: mails.SendUpdates = mails.SendUpdates.NONE
    if_match: str = ""

    def existing(self, event_id: str) -> model.EventCopy:
        """Return the event to change, or raise 404, or 412 for a stale etag."""
        copy = series.find(self.tx, self.calendar, event_id)
        if copy is None:
            raise errors.not_found()
        hidden = copy.body.get("visibility") in ("private", "confidential")
        if hidden and not self.role.sees_private:
            raise errors.forbidden()
        return copy

    def check_etag(self, copy: model.EventCopy) -> None:
        """Raise 412 when `If-Match` names another version (facts 58 and 59)."""
        if self.if_match and self.if_match not in ("*", copy.etag):
            raise errors.condition_not_met()


def replace_body(edit: Edit, current: model.EventCopy, raw: model.Json) -> model.Json:
    """Return the stored body after a write, or raise 400 or 403.

    `raw` holds the writable fields as they are to be; what is Google's own is kept.
    """
    own = {k: v for k, v in current.body.items() if k not in bodies.WRITABLE}
    asked = raw.pop("sequence", None)
    sequence = current.body["sequence"]
    if asked is not None and int(asked) < sequence:
        message = (
            "Invalid sequence value. The specified sequence number is below the "
            "current sequence number of the resource. Re-fetch the resource and use "
            "its sequence number on the following request."
        )
        raise errors.invalid(message)
    if current.series_id:
        raw.pop("recurrence", None)
    body = own | bodies.canonical(raw, edit.calendar.time_zone)
    body["sequence"] = max(sequence, int(asked or 0))
    if any(body[edge] != current.body[edge] for edge in _BUMPS_SEQUENCE):
        body["sequence"] = max(sequence + 1, int(asked or 0))
    return body


def store(edit: Edit, current: model.EventCopy, body: model.Json) -> model.EventCopy:
    """Store a changed body and let the change travel; a change of nothing is none."""
    if body == current.body:
        return current
    _check_revival(current, body)
    _check_kind(current, body)
    if current.is_organizer_copy or current.body.get("privateCopy"):
        return store_as_organizer(edit, current, body)
    return _store_as_guest(edit, current, body)


def store_as_organizer(
    edit: Edit, current: model.EventCopy, body: model.Json
) -> model.EventCopy:
    """Store the organizer's change, bring the guests' copies in line, send mail."""
    removal = model.Removal.NOT
    if body["status"] == "cancelled" and not current.series_id:
        removal = model.Removal.BY_SELF
    changed = dataclasses.replace(
        current, body=body, removal=removal, updated=_updated(edit, current, body)
    )
    exceptions = edit.tx.exceptions(edit.calendar.id, current.id)
    before = [current.body, *(exception.body for exception in exceptions)]
    stored = series.put(edit.tx, edit.calendar, changed)
    if stored.is_cancelled:
        # Guests who are not told keep the event (fact 133).
        told = [mails.told(one, edit.send_updates, edit.account) for one in before]
        reached = set().union(*told)
    else:
        reached = set().union(*map(attendees.addresses, [*before, body]))
    copies.spread(edit.tx, edit.calendar, stored.id, reached)
    mails.announce(edit.tx, current, stored, edit.send_updates, edit.account)
    return stored


def _store_as_guest(
    edit: Edit, current: model.EventCopy, body: model.Json
) -> model.EventCopy:
    if any(current.body.get(n) != body.get(n) for n in _GUEST_RIGHTS):
        raise errors.forbidden_for_non_organizer()
    if current.body.get("locked") and _differs_in(current.body, body, _LOCKED):
        raise errors.forbidden()
    removal = model.Removal.NOT
    if body["status"] == "cancelled" and not current.series_id:
        removal = model.Removal.BY_SELF
    if body["status"] == "cancelled":
        declined = {"responseStatus": "declined"}
        body = attendees.answered(body, edit.calendar.id, declined)
    updated = _updated(edit, current, body)
    changed = dataclasses.replace(current, body=body, removal=removal, updated=updated)
    stored = series.put(edit.tx, edit.calendar, changed)
    _tell_organizer(edit, current, stored)
    return stored


def _tell_organizer(
    edit: Edit, before: model.EventCopy, after: model.EventCopy
) -> None:
    person = edit.calendar.id
    # Who left the own row out has not taken the answer back.
    reply = attendees.answer(attendees.find(after.body, person))
    if reply and reply != attendees.answer(attendees.find(before.body, person)):
        copies.answer(edit.tx, after, person, reply)
        organizer = after.body["organizer"]["email"]
        if edit.send_updates.reaches(organizer, edit.account):
            mails.record(edit.tx, after, model.MailKind.REPLY, {organizer})
    _pass_on(edit, before, after)


def _pass_on(edit: Edit, before: model.EventCopy, after: model.EventCopy) -> None:
    """Write a guest's edit to the organizer's copy as far as guests may edit."""
    organizer = edit.tx.state.calendar_of(after.body["organizer"]["email"])
    original = series.find(edit.tx, organizer, after.id) if organizer else None
    if organizer is None or original is None or original.is_cancelled:
        return
    changes = _passed_on(before.body, after.body)
    if _shared(before.body) != _shared(after.body):
        private = original.body.get("extendedProperties", {}).get("private", {})
        both = {"private": private, "shared": _shared(after.body)}
        changes["extendedProperties"] = {k: v for k, v in both.items() if v}
    if not changes or after.is_cancelled:
        return
    theirs = dataclasses.replace(edit, calendar=organizer)
    body = {k: v for k, v in (original.body | changes).items() if v is not None}
    if body != original.body:
        store_as_organizer(theirs, original, body)


def _passed_on(before: model.Json, after: model.Json) -> model.Json:
    if before.get("guestsCanModify"):
        names = {*before, *after} - _PRIVATE - {"extendedProperties", "status"}
        return {n: after.get(n) for n in names if before.get(n) != after.get(n)}
    known = {address.casefold() for address in attendees.addresses(before)}
    new = [r for r in attendees.rows_of(after) if r["email"].casefold() not in known]
    if new and before.get("guestsCanInviteOthers", True):
        return {"attendees": [*attendees.rows_of(before), *new]}
    return {}


def _shared(body: model.Json) -> model.Json:
    """Return the extended properties that every guest may edit (fact 110)."""
    found: model.Json = body.get("extendedProperties", {}).get("shared", {})
    return found


def _check_revival(current: model.EventCopy, body: model.Json) -> None:
    """Let a deleted event change only by coming back (facts 71 and 72)."""
    if not current.is_cancelled:
        return
    if body["status"] == "cancelled" or current.was_taken_away:
        raise errors.forbidden()


def _check_kind(current: model.EventCopy, body: model.Json) -> None:
    kind = current.body.get("eventType", "default")
    allowed = _FROM_GMAIL if kind == "fromGmail" else None
    if allowed is not None:
        names = {
            n for n in {*current.body, *body} if current.body.get(n) != body.get(n)
        }
        if names - allowed:
            raise errors.invalid("This event type cannot be changed in this way.")


def _updated(edit: Edit, current: model.EventCopy, body: model.Json) -> int:
    # A change of reminders alone is none that `updated` shows (fact 76).
    if _differs(current.body, body, frozenset({"reminders"})):
        return edit.tx.stamp
    return current.updated


def _differs(one: model.Json, other: model.Json, besides: frozenset[str]) -> bool:
    names = {*one, *other} - besides
    return any(one.get(name) != other.get(name) for name in names)


def _differs_in(one: model.Json, other: model.Json, names: tuple[str, ...]) -> bool:
    return any(one.get(name) != other.get(name) for name in names)
