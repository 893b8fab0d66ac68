"""Guests' copies: how a meeting travels from its organizer's calendar and back.

The organizer's copy owns what is shared; a guest's copy, under the same id, owns what
is private to it (facts 120 to 124).
"""

import dataclasses
from collections.abc import Iterable
from functools import partial

from deploy.demo.google import attendees, model, series, state

_PRIVATE = ("reminders", "colorId", "transparency", "source")
_MOST_ANSWERS_SHARED = 200


def spread(
    tx: state.Transaction, organizer: model.Calendar, event_id: str, guests: set[str]
) -> None:
    """Bring the copies of these guests in line with the organizer's event.

    Guests are invited, updated or, when they are no longer on the list, lose the event.
    Whoever has no calendar here only gets mail.
    """
    main = tx.get(organizer.id, event_id)
    if main is None or main.body.get("privateCopy"):
        return
    root = main.series_id or main.id
    first = tx.get(organizer.id, root)
    sources = [*([first] if first else []), *tx.exceptions(organizer.id, root)]
    for address in sorted(guests):
        calendar = tx.state.calendar_of(address)
        if calendar and calendar.id != organizer.id:
            _spread_to(tx, calendar, root, sources)


def answer(
    tx: state.Transaction, own: model.EventCopy, guest: str, reply: model.Json
) -> None:
    """Let a guest's answer appear on the organizer's and the other guests' copies."""
    organizer = own.body["organizer"]["email"]
    source = tx.state.calendar_of(organizer)
    original = series.find(tx, source, own.id) if source else None
    listed = attendees.addresses(original.body if original else own.body)
    reached = {organizer}
    if len(listed) <= _MOST_ANSWERS_SHARED:
        reached |= listed
    for address in sorted(reached - {own.calendar_id}):
        calendar = tx.state.calendar_of(address)
        copy = series.find(tx, calendar, own.id) if calendar else None
        if calendar is None or copy is None or copy.is_cancelled:
            continue
        body = attendees.answered(copy.body, guest, reply)
        if body != copy.body:
            changed = dataclasses.replace(copy, body=body, updated=tx.stamp)
            series.put(tx, calendar, changed)


def _spread_to(
    tx: state.Transaction,
    calendar: model.Calendar,
    root: str,
    sources: Iterable[model.EventCopy],
) -> None:
    has_changed = False
    for source in sources:
        existing = tx.get(calendar.id, source.id)
        wanted = _copy(tx, calendar, source, existing)
        if wanted and (existing is None or not _is_same(wanted, existing)):
            # The guest may have exceptions to the series that nobody else has.
            put = tx.put if wanted.series_id else partial(series.put, tx, calendar)
            put(wanted)
            has_changed = True
    if has_changed and tx.get(calendar.id, root):
        series.touch(tx, calendar.id, root)


def _copy(
    tx: state.Transaction,
    calendar: model.Calendar,
    source: model.EventCopy,
    existing: model.EventCopy | None,
) -> model.EventCopy | None:
    if existing and existing.is_organizer_copy and not existing.was_taken_away:
        # The guest has an event of this id already, which is no invitation.
        return None
    is_invited = attendees.find(source.body, calendar.id) is not None
    if not is_invited or source.removal == model.Removal.BY_SELF:
        return _without(tx, calendar, source, existing)
    if source.removal == model.Removal.SUPERSEDED and existing is None:
        return None
    body = _joined(source.body, existing.body if existing else {})
    removal = source.removal
    known = existing or tx.get(calendar.id, source.series_id)
    if known and known.removal == model.Removal.BY_SELF:
        # The guest threw the invitation away; a later change does not bring it back.
        removal = known.removal
        body["status"] = "cancelled"
    return dataclasses.replace(
        source,
        calendar_id=calendar.id,
        body=body,
        updated=tx.stamp,
        removal=removal,
    )


def _without(
    tx: state.Transaction,
    calendar: model.Calendar,
    source: model.EventCopy,
    existing: model.EventCopy | None,
) -> model.EventCopy | None:
    master = tx.get(calendar.id, source.series_id)
    is_one_of_many = master is not None and not master.is_cancelled
    if existing is None and not is_one_of_many:
        return None
    if existing and existing.is_cancelled:
        return None
    left = existing or dataclasses.replace(source, calendar_id=calendar.id)
    return dataclasses.replace(
        left,
        body=left.body | {"status": "cancelled"},
        removal=model.Removal.NOT if is_one_of_many else model.Removal.BY_OTHERS,
        updated=tx.stamp,
    )


def _joined(shared: model.Json, private: model.Json) -> model.Json:
    """Return what is the organizer's to say together with what is the guest's."""
    body = {name: value for name, value in shared.items() if name not in _PRIVATE}
    body |= {name: private[name] for name in _PRIVATE if name in private}
    body.setdefault("reminders", {"useDefault": True})
    properties = {
        "private": private.get("extendedProperties", {}).get("private"),
        "shared": shared.get("extendedProperties", {}).get("shared"),
    }
    body.pop("extendedProperties", None)
    if kept := {scope: pairs for scope, pairs in properties.items() if pairs}:
        body["extendedProperties"] = kept
    return body


def _is_same(one: model.EventCopy, other: model.EventCopy) -> bool:
    return one.body == other.body and one.removal == other.removal
