"""Which of several connected users' copies a meeting is synced through.

The organizer's copy leads, since it can be written, else the first one that a list
showed. Whoever leads and goes, by disconnecting or by leaving the meeting, hands over
to another who comes; the task stays with its owner.
"""

from shared.adapters.store import Store, UnitOfWork, tables
from shared.domain import errors, mapping, messages, model
from workers import holding, stored
from workers.pair import Pair


class Handover:
    """Handles the messages that say that a connection leads no more."""

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store

    def connection(self, subject: messages.HandoverDue) -> None:
        """Hand over what a connection leads, where another user comes as well.

        Raises `RecordBusyError` while somebody works on one of the meetings.
        """
        with self._store.read() as work:
            links = work.links.of_connection(subject.connection_id)
        for link in links:
            names = holding.of_link(link)
            with holding.held(self._store, names) as held, self._store.begin() as work:
                if not held:
                    raise errors.RecordBusyError
                row = work.links.by_id(link.id)
                heir = heir_of(work, row)
                if heir is not None:
                    lead_by(row, heir)
                work.commit()


def heir_of(work: UnitOfWork, link: tables.Link) -> tables.Copy | None:
    """Return the copy that would lead instead of the one that does.

    There is none for a meeting that we made: it goes with its task's owner.
    """
    if link.origin != model.Side.GOOGLE:
        return None
    copies = [
        copy
        for copy in work.copies.of_meeting(link)
        if copy.calendar_id != link.calendar_id
        and _is_selected(work, copy)
        and stored.comes(work, copy)
    ]
    return min(copies, key=lambda c: (not _is_organizers(work, c), c.id), default=None)


def leaves(pair: Pair) -> bool:
    """Tell whether the user whose copy leads, a guest, is out of the meeting."""
    event = pair.event.event
    if event is None or event.is_organizer or event.organizer is None:
        return False
    return event.is_cancelled or pair.is_declined()


def outranks(pair: Pair, leader: Pair) -> bool:
    """Tell whether a copy that appeared later is to lead: the organizer's."""
    event, link = leader.event.event, leader.link
    is_led_by_guest = event is not None and not event.is_organizer
    is_theirs = link is not None and link.origin == model.Side.GOOGLE
    return is_led_by_guest and is_theirs and pair.known_event.is_organizer


def lead_by(link: tables.Link, heir: tables.Copy) -> None:
    """Let another copy of the meeting lead."""
    owner_id = (link.task or {}).get("owner_id")
    link.led_for = link.led_for or owner_id
    link.calendar_id = heir.calendar_id
    link.event_id = heir.event_id
    heir.link_id = link.id


def _is_selected(work: UnitOfWork, copy: tables.Copy) -> bool:
    return work.calendars.by_id(copy.calendar_id).is_selected


def _is_organizers(work: UnitOfWork, copy: tables.Copy) -> bool:
    calendar = work.calendars.by_id(copy.calendar_id)
    event = mapping.event_from_document(copy.document, calendar_zone=calendar.time_zone)
    return event.is_organizer
