"""Which of several connected users' copies a meeting is synced through.

The organizer's copy leads, since it can be written, else the first one that a list
showed. Whoever leads and goes, by disconnecting or by leaving the meeting, hands over
to another who comes; the task stays with its owner. Where nobody could take over then,
the next copy that appears does.
"""

from collections.abc import Collection
from datetime import datetime

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors, identifiers, mapping, messages, model, scope
from shared.domain.messages import Message, Queue
from workers import holding, stored
from workers.pair import Pair
from workers.services import Services


class Handover:
    """Handles the messages that say that a connection leads no more."""

    def __init__(self, services: Services) -> None:
        """Take the store, and where to queue a look at what has another leader."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

    def connection(self, message: Message, subject: messages.HandoverDue) -> None:
        """Hand over what a connection leads, where another user comes as well.

        Not if it is active, for then its user has connected again. Raises
        `RecordBusyError` while somebody works on one of the meetings.
        """
        with self._store.read() as work:
            connection = work.connections.by_id(subject.connection_id)
            if connection.state == ConnectionState.ACTIVE:
                return
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
                    leave_to_timer(row, self._clock.now())
                work.commit()
            if heir is not None:
                # Only now: a broker in the same database waits for our commit.
                self._broker.publish(_look_at(heir, message))


def heir_of(work: UnitOfWork, link: tables.Link) -> tables.Copy | None:
    """Return the copy that would lead instead of the one that does.

    There is none for a meeting that we made: it goes with its task's owner.
    """
    return next_copy(work, link) if link.origin == model.Side.GOOGLE else None


def next_copy(
    work: UnitOfWork,
    link: tables.Link,
    states: Collection[str] = (ConnectionState.ACTIVE,),
) -> tables.Copy | None:
    """Return the copy of another user who comes, the organizer's first.

    Of one whose connection is in one of these states.
    """
    copies = [
        copy
        for copy in work.copies.of_meeting(link)
        if copy.calendar_id != link.calendar_id
        and _is_selected(work, copy)
        and stored.comes(work, copy, states)
    ]
    return min(copies, key=lambda c: (not _is_organizers(work, c), c.id), default=None)


def leaves(pair: Pair) -> bool:
    """Tell whether the user whose copy leads, a guest, is out of the meeting."""
    event = pair.event.event
    if event is None or event.is_organizer or event.organizer is None:
        return False
    return event.is_cancelled or pair.is_declined()


def outranks(pair: Pair, leader: Pair) -> bool:
    """Tell whether a copy that appeared later is to lead.

    The organizer's copy is; anybody's is where the leader's cannot be followed.
    """
    event, link = leader.event.event, leader.link
    if link is None or link.origin != model.Side.GOOGLE:
        return False
    if not pair.calendar.is_selected:
        return False
    is_led_by_guest = event is not None and not event.is_organizer
    if is_led_by_guest and pair.known_event.is_organizer:
        return True
    return _comes(pair) and _is_out_of_reach(leader, is_led_by_guest=is_led_by_guest)


def _comes(pair: Pair) -> bool:
    event = pair.known_event
    return not event.is_cancelled and not scope.has_declined(event)


def _is_out_of_reach(leader: Pair, *, is_led_by_guest: bool) -> bool:
    """Tell whether nobody follows what happens to the copy that leads.

    An organizer who only has to connect again keeps the lead: edits of the task, which
    nobody else's copy can take, wait for that.
    """
    connection, calendar = leader.connection, leader.calendar
    is_synced = calendar.is_selected and calendar.google_sub == connection.google_sub
    if not is_synced or connection.state == ConnectionState.DISCONNECTED:
        return True
    return is_led_by_guest and connection.state != ConnectionState.ACTIVE


def lead_by(link: tables.Link, heir: tables.Copy) -> None:
    """Let another copy of the meeting lead."""
    owner_id = (link.task or {}).get("owner_id")
    link.led_for = link.led_for or owner_id
    link.calendar_id = heir.calendar_id
    link.event_id = heir.event_id
    heir.link_id = link.id
    # What it showed while another copy led has been passed over.
    heir.settled_etag = None


def leave_to_timer(link: tables.Link, now: datetime) -> None:
    """Have the timer look at a link that nobody may have queued a look at.

    One in conflict waits for its user, who has it looked at.
    """
    if link.state == LinkState.ACTIVE:
        link.state = LinkState.PENDING
        link.pending_since = link.updated_at = now


def _look_at(heir: tables.Copy, because_of: Message) -> Message:
    return Message(
        id=identifiers.delivery_id(because_of.id, "handover", str(heir.id)),
        queue=Queue.RECORDS,
        subject=messages.EventDue(calendar_id=heir.calendar_id, event_id=heir.event_id),
        trigger=because_of.trigger,
        queued_at=because_of.queued_at,
    )


def _is_selected(work: UnitOfWork, copy: tables.Copy) -> bool:
    return work.calendars.by_id(copy.calendar_id).is_selected


def _is_organizers(work: UnitOfWork, copy: tables.Copy) -> bool:
    calendar = work.calendars.by_id(copy.calendar_id)
    event = mapping.event_from_document(copy.document, calendar_zone=calendar.time_zone)
    return event.is_organizer
