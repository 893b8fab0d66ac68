"""Changes behind the API: accounts and calendars come and go, events are planted."""

import dataclasses
from datetime import datetime

from deploy.demo.google import bodies, copies, errors, model, series, state

_PLANTED = ("eventType", "locked", "privateCopy", "hangoutLink", "conferenceData")


def add_account(
    held: state.State, now: datetime, *, address: str, name: str, time_zone: str
) -> model.Account:
    """Add an account with its primary calendar, or change its name and zone."""
    account = model.Account(address=address, name=name, time_zone=time_zone)
    with held.transaction(now) as tx:
        tx.add(account)
        known = held.calendars.get(address)
        if known:
            tx.add(dataclasses.replace(known, time_zone=time_zone))
        else:
            calendar = model.Calendar(
                id=address,
                owner=address,
                summary=address,
                time_zone=time_zone,
                created=tx.now,
            )
            tx.add(calendar)
            tx.add(_membership(address, address, model.Role.OWNER))
    return account


def add_calendar(
    held: state.State,
    now: datetime,
    account: str,
    calendar: model.Calendar,
    role: model.Role,
) -> model.Calendar:
    """Put a calendar on an account's list with a role; make it unless it is known.

    Another role than before kills the calendar's sync tokens (fact 20).
    """
    with held.transaction(now) as tx:
        known = held.calendars.get(calendar.id)
        if known is None:
            calendar_id = calendar.id or model.group_calendar_id(tx.stamp)
            known = dataclasses.replace(calendar, id=calendar_id, created=tx.now)
            tx.add(known)
        before = held.memberships.get((account, known.id))
        if before and before.role != role:
            tx.add(_with_dead_tokens(known))
        tx.add(_membership(account, known.id, role))
    return known


def remove_calendar(
    held: state.State, now: datetime, account: str, calendar_id: str
) -> None:
    """Take a secondary calendar off an account's list, or raise 404."""
    with held.transaction(now) as tx:
        known = held.memberships.get((account, calendar_id))
        if known is None or known.is_deleted:
            raise errors.not_found()
        if calendar_id == account:
            raise errors.invalid("A primary calendar cannot be removed.")
        tx.add(dataclasses.replace(known, is_deleted=True))
        tx.add(_with_dead_tokens(held.calendars[calendar_id]))


def expire_sync_tokens(
    held: state.State, now: datetime, calendar_id: str | None
) -> list[str]:
    """Kill the sync tokens of one calendar or of all; return the calendars' ids."""
    with held.transaction(now) as tx:
        found = [c for c in held.calendars.values() if calendar_id in (None, c.id)]
        for calendar in found:
            tx.add(_with_dead_tokens(calendar))
    return [calendar.id for calendar in found]


def plant_event(
    held: state.State, now: datetime, calendar: model.Calendar, raw: model.Json
) -> model.EventCopy:
    """Put an event on a calendar as no client could: locked, of Gmail, of a stranger.

    Besides the writable fields it takes id, iCalUID, organizer and creator, eventType,
    locked, privateCopy and a conference.
    """
    stranger = {"email": calendar.id}
    with held.transaction(now) as tx:
        event_id = raw.get("id") or model.base32hex(tx.stamp.to_bytes(16))
        body = bodies.canonical(bodies.writable(raw), calendar.time_zone) | {
            "iCalUID": raw.get("iCalUID") or f"{event_id}@google.com",
            "organizer": raw.get("organizer") or stranger,
            "creator": raw.get("creator") or raw.get("organizer") or stranger,
            "sequence": raw.get("sequence") or 0,
            "eventType": "default",
        }
        body |= {name: raw[name] for name in _PLANTED if name in raw}
        copy = model.EventCopy(
            calendar_id=calendar.id,
            id=event_id,
            body=body,
            created=tx.now - tx.now % 1_000_000,
            updated=tx.stamp,
        )
        stored = series.put(tx, calendar, copy)
        if copy.is_organizer_copy:
            guests = {row["email"] for row in body.get("attendees", ())}
            copies.spread(tx, calendar, event_id, guests)
    return stored


def _membership(account: str, calendar_id: str, role: model.Role) -> model.Membership:
    return model.Membership(account=account, calendar_id=calendar_id, role=role.value)


def _with_dead_tokens(calendar: model.Calendar) -> model.Calendar:
    return dataclasses.replace(calendar, token_epoch=calendar.token_epoch + 1)
