"""Remove copies of events that have no place any more.

When the event of a link moves to another calendar, its former one stays behind; and a
meeting cancelled without mail stays on its guests' calendars (fact 133). Both are found
from what is stored, and removed before the record counts as dealt with: a crash on the
way leaves no duplicate.
"""

import contextlib
from dataclasses import dataclass

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, mapping, ports, scope
from workers.google_side import SILENT
from workers.pair import Pair
from workers.remotes import Remotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A copy to be removed, and whose it is."""

    copy: tables.Copy
    calendar: tables.Calendar
    connection: tables.Connection


def are_possible(pair: Pair) -> bool:
    """Tell whether it is worth a look: the event had another id, or has ended."""
    return pair.link is not None and (pair.link.generation > 0 or _has_ended(pair))


def find(work: UnitOfWork, pair: Pair) -> list[Stray]:
    """Return the copies of the pair's event that have no place any more."""
    link = pair.link
    if link is None:
        return []
    found = []
    for copy in work.copies.of_meeting(link):
        is_own = (copy.calendar_id, copy.event_id) == (link.calendar_id, link.event_id)
        is_former = copy.event_id != link.event_id
        if is_own or not (is_former or _has_ended(pair)):
            continue
        calendar = work.calendars.by_id(copy.calendar_id)
        connection = work.connections.by_id(calendar.connection_id)
        if _can_be_removed(copy, calendar, connection):
            found.append(Stray(copy=copy, calendar=calendar, connection=connection))
    return found


def _has_ended(pair: Pair) -> bool:
    """Tell whether the meeting is cancelled for all.

    A guest whose copy leads, because we do not know the organizer, cancels nobody's;
    nor does a user who only declines.
    """
    event = pair.event.event
    is_cancelled = pair.baseline is not None and pair.baseline.meeting.cancelled
    is_theirs = event is not None and event.organizer is not None
    was_theirs = is_cancelled and is_theirs and pair.known_event.is_organizer
    return was_theirs and not pair.is_declined()


def _can_be_removed(
    copy: tables.Copy, calendar: tables.Calendar, connection: tables.Connection
) -> bool:
    event = mapping.event_from_document(copy.document, calendar_zone=calendar.time_zone)
    return (
        not event.is_cancelled
        and connection.state == ConnectionState.ACTIVE
        # Events of an account that is no longer connected stay as they are.
        and connection.google_sub == calendar.google_sub
        and calendar.access_role in scope.WRITABLE_ROLES
    )


def remove(stray: Stray, store: Store, remotes: Remotes, clock: ports.Clock) -> None:
    """Remove a copy, without mail; raises what keeps Google from doing so."""
    google = remotes.google(stray.connection)
    calendar_id = stray.calendar.google_calendar_id
    is_gone = (errors.RecordDeletedError, errors.RecordNotFoundError)
    with contextlib.suppress(*is_gone):
        google.delete_event(
            calendar_id, stray.copy.event_id, etag=None, send_updates=SILENT
        )
    document = {**stray.copy.document, "status": "cancelled", "etag": ""}
    event = mapping.event_from_document(
        document, calendar_zone=stray.calendar.time_zone
    )
    with store.begin() as work:
        work.copies.upsert(
            stray.calendar.id,
            event,
            document,
            changed_at=stray.copy.changed_at,
            seen_at=clock.now(),
            settled=True,
        )
        work.commit()
