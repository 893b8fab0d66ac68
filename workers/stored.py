"""Pairs as the store keeps them: built from rows, and written back."""

from collections.abc import Collection, Sequence
from datetime import datetime

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import mapping, messages, model, scope
from shared.domain.reasons import Reason
from shared.domain.reconcile import Hold, Presence
from shared.domain.settings import Settings
from workers.pair import EventNow, Pair, TaskNow


def pair_of_link(
    work: UnitOfWork, organization: tables.Organization, link: tables.Link
) -> Pair:
    """Return the pair of a link, both sides as they were last seen."""
    calendar, connection, _ = work.calendars.with_owners(link.calendar_id)
    copy = work.copies.of(calendar.id, link.event_id)
    known = link.baseline
    pair = Pair(
        organization=organization,
        settings=Settings.from_document(organization.settings),
        link=link,
        calendar=calendar,
        connection=connection,
        task=_task_now(link),
        event=_event_now(copy, calendar),
        baseline=mapping.baseline_from_document(known) if known else None,
        held_guests=frozenset(model.Address(email) for email in link.held_guests),
        guests_due_at=link.guests_due_at,
    )
    know_people(work, pair)
    return pair


def pair_of_event(
    work: UnitOfWork, subject: messages.EventDue
) -> tuple[Pair, tables.Copy | None]:
    """Return the pair that an event is, or may become, one side of; and its copy."""
    owned = work.calendars.with_owners(subject.calendar_id)
    calendar, connection, organization = owned
    copy = work.copies.of(calendar.id, subject.event_id)
    link = work.links.of_event(calendar.id, subject.event_id)
    if link is not None:
        return pair_of_link(work, organization, link), copy
    pair = Pair(
        organization=organization,
        settings=Settings.from_document(organization.settings),
        calendar=calendar,
        connection=connection,
        event=_event_now(copy, calendar),
    )
    know_people(work, pair)
    return pair, copy


def know_people(work: UnitOfWork, pair: Pair) -> None:
    """Learn which users a pair's addresses and owner belong to, once for the same."""
    addresses: set[str] = set()
    if pair.task.task is not None:
        addresses |= {a.email for a in pair.task.task.attendees}
    if pair.event.event is not None:
        addresses |= {g.email for g in pair.event.event.guests}
        addresses |= {pair.event.event.organizer or ""}
    ids = {pair.owner_id, pair.connection.crm_user_id}
    if pair.people == (ids, addresses):
        return
    found = work.users.matching(pair.organization.id, ids=ids, addresses=addresses)
    pair.people, pair.directory = (ids, addresses), mapping.Directory.of(found)


def others_come(work: UnitOfWork, pair: Pair) -> bool:
    """Tell whether another connected user's copy of the event is not declined."""
    if pair.link is None:
        return False
    return any(
        comes(work, copy)
        for copy in work.copies.of_meeting(pair.link)
        if copy.calendar_id != pair.calendar.id
    )


def comes(
    work: UnitOfWork,
    copy: tables.Copy,
    states: Collection[str] = (ConnectionState.ACTIVE,),
) -> bool:
    """Tell whether a user has a copy of a meeting, and has not declined.

    One whose connection is in one of these states.
    """
    calendar = work.calendars.by_id(copy.calendar_id)
    connection = work.connections.by_id(calendar.connection_id)
    event = mapping.event_from_document(copy.document, calendar_zone=calendar.time_zone)
    is_connected = (
        connection.state in states and connection.google_sub == calendar.google_sub
    )
    return is_connected and not event.is_cancelled and not scope.has_declined(event)


def copy_on(
    work: UnitOfWork, pair: Pair, calendar: tables.Calendar
) -> tables.Copy | None:
    """Return the copy of a pair's event on another calendar, as it was last seen."""
    copies = _copies_of(work, pair)
    return next((copy for copy in copies if copy.calendar_id == calendar.id), None)


def stand_in_for(work: UnitOfWork, pair: Pair) -> tables.Copy | None:
    """Return another user's copy that can be imported where the pair's cannot."""
    return next(
        (
            copy
            for copy in _copies_of(work, pair)
            if copy.calendar_id != pair.calendar.id
            and work.calendars.by_id(copy.calendar_id).is_selected
            and comes(work, copy)
            and why_not_imported(work, copy, pair.settings) is None
        ),
        None,
    )


def _copies_of(work: UnitOfWork, pair: Pair) -> Sequence[tables.Copy]:
    event = pair.known_event
    return work.copies.of_ical(
        pair.organization.id, event.ical_uid, event.original_start or ""
    )


def why_not_imported(
    work: UnitOfWork, copy: tables.Copy, settings: Settings
) -> Reason | None:
    """Return why a copy without a task shall not get one, or None if it shall."""
    zone = work.calendars.by_id(copy.calendar_id).time_zone
    event = mapping.event_from_document(copy.document, calendar_zone=zone)
    return scope.why_not_imported(event, settings)


def hold_on(work: UnitOfWork, pair: Pair) -> Hold | None:
    """Return what an admin says to a record that was deleted with many others.

    A list may have found that only after the pair was loaded.
    """
    state = work.held_deletions.state_of(pair.link.id) if pair.link else None
    return Hold(state) if state else None


def end_hold(work: UnitOfWork, pair: Pair) -> None:
    """Note that a record needs no admin's word any more.

    One that was held after the pair was loaded stays held: that is about a deletion
    which nobody has looked at.
    """
    link = work.links.by_id(pair.link.id if pair.link else None)
    if pair.link is not None and link.held_deletion_id == pair.link.held_deletion_id:
        link.held_deletion_id = None


def _task_now(link: tables.Link) -> TaskNow:
    if link.task is None:
        return TaskNow()
    task = mapping.task_from_document(link.task)
    return TaskNow(
        presence=Presence.GONE if task.deleted else Presence.LIVE,
        task=task,
        document=link.task,
        changed_at=link.task_changed_at,
    )


def _event_now(copy: tables.Copy | None, calendar: tables.Calendar) -> EventNow:
    if copy is None:
        return EventNow()
    return EventNow(
        presence=Presence.LIVE,
        event=mapping.event_from_document(
            copy.document, calendar_zone=calendar.time_zone
        ),
        document=copy.document,
        changed_at=copy.changed_at,
    )


# -- writing back -----------------------------------------------------------------


def save(work: UnitOfWork, pair: Pair, now: datetime) -> None:
    """Store both sides as they are known now, and the baseline.

    For what was seen, not dealt with: after a failure it must not be forgotten.
    """
    _save_link(work, pair, now)
    _save_copy(work, pair, link_id=pair.link.id if pair.link else None)
    _save_skew(work, pair)


def settle(work: UnitOfWork, pair: Pair, now: datetime, *, link_id: int | None) -> None:
    """Store both sides as above, and that they have been dealt with.

    `link_id` is the link that the event belongs to, though another copy may lead it.
    """
    link = _save_link(work, pair, now)
    if link is not None and pair.link is not None:
        link.state = pair.link.state
        link.pending_since = None
        link.task_version = pair.task.task.version if pair.task.task else None
    _save_copy(work, pair, link_id=link_id, settled=True)
    _save_skew(work, pair)
    work.connections.note_sync(pair.connection.id, now)


def _save_link(work: UnitOfWork, pair: Pair, now: datetime) -> tables.Link | None:
    if pair.link is None:
        return None
    link = work.links.by_id(pair.link.id)
    is_live = pair.task.presence is Presence.LIVE
    if pair.task.task is not None and (is_live or link.task_id == pair.task.task.id):
        # One that is gone is not put back while another is made in its place.
        link.task_id = pair.task.task.id
        link.task = dict(pair.task.document or {})
    link.task_changed_at = pair.task.changed_at
    hold_guests(link, pair)
    link.updated_at = now
    return link


def hold_guests(link: tables.Link, pair: Pair) -> None:
    """Store the baseline, and the guests that it has and the event has not yet."""
    if pair.baseline is not None:
        link.baseline = mapping.baseline_to_document(pair.baseline)
    held = pair.held_guests - pair.guests_on_event()
    link.held_guests = sorted(held)
    link.guests_due_at = pair.guests_due_at if held else None


def _save_copy(
    work: UnitOfWork,
    pair: Pair,
    *,
    link_id: int | None,
    settled: bool = False,
) -> None:
    if pair.event.event is None or pair.event.document is None:
        return
    work.copies.upsert(
        pair.calendar.id,
        pair.event.event,
        pair.event.document,
        changed_at=pair.event.changed_at,
        link_id=link_id,
        settled=settled,
    )


def _save_skew(work: UnitOfWork, pair: Pair) -> None:
    if pair.clocks_moved:
        organization = work.organizations.by_id(pair.organization.id)
        organization.crm_skew_seconds = pair.organization.crm_skew_seconds
        connection = work.connections.by_id(pair.connection.id)
        connection.google_skew_seconds = pair.connection.google_skew_seconds
