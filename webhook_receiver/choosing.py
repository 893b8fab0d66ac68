"""Chooses the calendar of a connection; the events that we made follow by themselves.

A worker moves them, in a repair: nobody gets mail because of that.
"""

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, mapping, model
from shared.domain.messages import Trigger
from webhook_receiver.services import Services
from webhook_receiver.syncs import Syncs


def choose(services: Services, connection_id: int, calendar: tables.Calendar) -> None:
    """Have a calendar synced from now on; the one that is synced already stays so.

    Raises `BrokerConnectionError`; nothing is chosen then.
    """
    syncs, now = Syncs(services), services.clock.now()
    with services.store.begin() as work:
        row = work.connections.locked(connection_id)
        former = work.calendars.selected_of(connection_id)
        is_same = former is not None and former.id == calendar.id
        was_let_in = row.state == ConnectionState.ACTIVE
        if is_same and was_let_in:
            return
        before = (row.state, row.problem, row.connected_at)
        if not was_let_in:
            work.connections.let_in(row, at=now)
        work.calendars.select(work.calendars.by_id(calendar.id))
        job = syncs.open(work, row, Trigger.REPAIR)
        work.commit()
    try:
        syncs.queue([job])
    except errors.BrokerConnectionError:
        with services.store.begin() as work:
            row = work.connections.locked(connection_id)
            row.state, row.problem, row.connected_at = before
            if former is None:
                work.calendars.select_none(connection_id)
            else:
                work.calendars.select(work.calendars.by_id(former.id))
            work.commit()
        raise


def count_events(
    work: UnitOfWork, connection: tables.Connection, *, beside: int | None = None
) -> tuple[int, int]:
    """Count the events of a connection that we made, and those made in Google.

    Those on the calendar `beside` are not counted, nor meetings that are cancelled.
    """
    made_here = made_there = 0
    for link in work.links.of_connection(connection.id):
        if link.calendar_id != beside and not _is_over(link):
            made_here += link.origin == model.Side.CRM
            made_there += link.origin == model.Side.GOOGLE
    return made_here, made_there


def _is_over(link: tables.Link) -> bool:
    """Tell whether the meeting was cancelled on both sides: it stays where it is."""
    known = link.baseline
    return known is not None and mapping.baseline_from_document(known).meeting.cancelled
