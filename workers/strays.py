"""Remove copies of events that have no place any more.

When the event of a link moves to another calendar, its former one stays behind; and a
meeting cancelled without mail stays on its guests' calendars (fact 133). Both are found
from what is stored, and removed before the record counts as dealt with: a crash on the
way leaves no duplicate.
"""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, mapping, model, ports, scope
from workers.google_side import SILENT
from workers.pair import Pair
from workers.remotes import Remotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A copy that may have to be removed, and whose it is."""

    copy: tables.Copy
    calendar: tables.Calendar
    connection: tables.Connection

    def leads(self, link: tables.Link) -> bool:
        """Tell whether a meeting is synced through this copy."""
        here = (self.copy.calendar_id, self.copy.event_id)
        return here == (link.calendar_id, link.event_id)

    def is_read_only(self) -> bool:
        """Tell whether its user may not write the event."""
        return scope.is_read_only(self._event(), self.calendar.access_role)

    def can_be_removed(self, *, even_of: int | None = None) -> bool:
        """Tell whether it is there, and its user lets us remove it.

        Events of an account that is no longer connected stay as they are; `even_of` is
        a connection that is about to end.
        """
        is_connected = self.connection.state == ConnectionState.ACTIVE
        return (
            not self._event().is_cancelled
            and (is_connected or self.connection.id == even_of)
            and self.connection.google_sub == self.calendar.google_sub
            and self.calendar.access_role in scope.WRITABLE_ROLES
        )

    def _event(self) -> model.Event:
        return mapping.event_from_document(
            self.copy.document, calendar_zone=self.calendar.time_zone
        )


def are_possible(pair: Pair) -> bool:
    """Tell whether it is worth a look: the event had another id, or has ended."""
    return pair.link is not None and (pair.link.generation > 0 or _has_ended(pair))


def find(work: UnitOfWork, pair: Pair) -> list[Stray]:
    """Return the copies of the pair's event that have no place any more."""
    link = pair.link
    if link is None:
        return []
    copies = copies_of(work, link)
    ours = {each.copy.event_id for each in copies if not each.is_read_only()}
    return [
        each
        for each in copies
        if _has_no_place(each.copy, link, pair, ours) and each.can_be_removed()
    ]


def copies_of(work: UnitOfWork, link: tables.Link) -> list[Stray]:
    """Return all copies of a link's meeting, on whosever calendar."""
    return [_copy(work, row) for row in work.copies.of_meeting(link)]


def _copy(work: UnitOfWork, copy: tables.Copy) -> Stray:
    calendar = work.calendars.by_id(copy.calendar_id)
    connection = work.connections.by_id(calendar.connection_id)
    return Stray(copy=copy, calendar=calendar, connection=connection)


def _has_no_place(
    copy: tables.Copy, link: tables.Link, pair: Pair, ours: Collection[str]
) -> bool:
    """Tell whether it is left behind: by a move, or by the end of the meeting.

    `ours` are the events that one of the connected users may write. A meeting of
    somebody else's goes on where it is, whoever has the task.
    """
    if copy.event_id != link.event_id:
        return copy.event_id in ours
    return copy.calendar_id != link.calendar_id and _has_ended(pair)


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


def remove(stray: Stray, store: Store, remotes: Remotes) -> None:
    """Remove a copy, without mail; raises what keeps Google from doing so."""
    google = remotes.google(stray.connection)
    delete(google, stray.calendar, stray.copy.event_id)
    document = mapping.deleted(stray.copy.document)
    event = mapping.event_from_document(
        document, calendar_zone=stray.calendar.time_zone
    )
    with store.begin() as work:
        work.copies.upsert(
            stray.calendar.id,
            event,
            document,
            changed_at=stray.copy.changed_at,
            settled=True,
        )
        work.commit()


def delete(google: ports.GoogleCalendar, calendar: tables.Calendar, id_: str) -> None:
    """Delete an event, without mail; one that is not there is no error."""
    is_gone = (errors.RecordDeletedError, errors.RecordNotFoundError)
    with contextlib.suppress(*is_gone):
        google.delete_event(
            calendar.google_calendar_id, id_, etag=None, send_updates=SILENT
        )
