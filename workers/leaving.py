"""A connection that ends, and the events that we made on its calendars with it.

Record by record, each as often as need be: whatever breaks off is taken up again by the
next attempt, and only when the last event is gone is the access to Google given up. If
the user takes that access away meanwhile, the events that are left stay.
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState, Outcome
from shared.domain import errors, identifiers, messages, model
from shared.domain.messages import Message, Trigger
from shared.domain.reasons import Reason
from workers import history, holding, intake, parking, revoking, strays
from workers.handover import Handover
from workers.services import Services

log = logging.getLogger(__name__)

_ENDS = (
    errors.GrantRevokedError,
    errors.AdminPolicyError,
    errors.MissingScopesError,
)
"""What only the user, who wants to leave, could mend: by connecting again."""


class Leaving:
    """Handles the messages that say that a connection ends."""

    def __init__(self, services: Services, parked: parking.Parking) -> None:
        """Take the accounts, the store, and where guests without access are parked."""
        self._parking = parked
        self._services = services
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock
        self._handover = Handover(services)

    def connection(self, message: Message, subject: messages.RemovalDue) -> None:
        """Remove the events that we made for a connection; then disconnect it.

        One that its user has connected again meanwhile is left alone.
        """
        with self._store.read() as work:
            connection = work.connections.by_id(subject.connection_id)
            links = _made_here(work, connection)
        if connection.state != ConnectionState.PAUSED:
            return
        self._expect(message, len(links))
        try:
            for link in links:
                if not self._remove(message, connection, link):
                    self._stay(message, connection)
                    return
        except _ENDS as error:
            self._say_how_it_ended(message, connection, error)
        else:
            if message.attempt > 1:
                self._say_how_it_ended(message, connection)
        due = messages.HandoverDue(connection_id=connection.id)
        self._handover.connection(message, due)
        if not self._give_up_access(connection):
            self._stay(message, connection)

    def _stay(self, message: Message, connection: tables.Connection) -> None:
        """Leave the rest to a user who has connected again meanwhile.

        What was removed just then is not missed before another sync.
        """
        self._expect(message, 0)
        intake.publish_sync(self._services, connection, Trigger.REPAIR, message)

    def _expect(self, message: Message, more: int) -> None:
        if message.job_id is not None:
            with self._store.begin() as work:
                job = work.jobs.locked(message.job_id)
                work.jobs.expect(job.id, job.processed + more, now=self._clock.now())
                work.commit()

    def _say_how_it_ended(
        self,
        message: Message,
        connection: tables.Connection,
        error: errors.SyncError | None = None,
    ) -> None:
        """Record why events are left, or that an earlier failure was made up for."""
        entry = history.Entry(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            outcome=Outcome.FAILED if error else Outcome.UNCHANGED,
            reason=error.reason if error else Reason.UNCHANGED,
            error=str(error) if error else None,
        )
        with self._store.begin() as work:
            history.record(work, message, entry, now=self._clock.now())
            work.commit()
        # What was not got to is not expected any more.
        self._expect(message, 0)

    def _remove(
        self, message: Message, connection: tables.Connection, link: tables.Link
    ) -> bool:
        """Remove an event; return False if the connection is not to go any more."""
        names = holding.of_link(link)
        with holding.held(self._store, names) as is_held:
            if not is_held:
                raise errors.RecordBusyError
            with self._store.read() as work:
                state = work.connections.by_id(connection.id).state
                copies = strays.copies_of(work, link)
            if state != ConnectionState.PAUSED:
                return False
            for copy in copies:
                if copy.can_be_removed(even_of=connection.id):
                    with self._refusals_of(copy.connection, connection):
                        strays.remove(copy, self._store, self._remotes)
            if not any(each.leads(link) for each in copies):
                self._remove_unseen(connection, link)
            now = self._clock.now()
            with self._store.begin() as work:
                work.links.by_id(link.id).state = LinkState.DETACHED
                work.conflicts.resolve(link.id, now=now)
                line = _line(connection, link)
                history.record(work, _of_record(message, link), line, now=now)
                work.commit()
        return True

    def _remove_unseen(self, connection: tables.Connection, link: tables.Link) -> None:
        """Remove an event whose maker has died before Google's answer was stored."""
        with self._store.read() as work:
            calendar = work.calendars.by_id(link.calendar_id)
        is_within_reach = calendar.google_sub == connection.google_sub
        if link.event_id is not None and is_within_reach:
            google = self._remotes.google(connection)
            strays.delete(google, calendar, link.event_id)

    def _refusals_of(
        self, owner: tables.Connection, leaving: tables.Connection
    ) -> AbstractContextManager[None]:
        """Park a guest whom Google refuses: that is not to keep who leaves."""
        if owner.id == leaving.id:
            return nullcontext()
        return self._parking.instead_of_failing(owner)

    def _give_up_access(self, connection: tables.Connection) -> bool:
        """Disconnect; return False if the connection is not to go any more."""
        with self._store.begin() as work:
            row = work.connections.locked(connection.id)
            if row.state != ConnectionState.PAUSED:
                return row.state != ConnectionState.ACTIVE
            is_to_revoke = revoking.forget(work, row)
            work.commit()
        log.info("Disconnected connection %s", connection.id)
        if is_to_revoke:
            revoking.revoke(self._remotes, connection)
        return True


def _made_here(work: UnitOfWork, connection: tables.Connection) -> list[tables.Link]:
    return [
        link
        for link in work.links.of_connection(connection.id)
        if link.origin == model.Side.CRM
    ]


def _of_record(message: Message, link: tables.Link) -> Message:
    """Return the message as one about a single record, with a line of its own."""
    return replace(message, id=identifiers.delivery_id(message.id, str(link.id)))


def _line(connection: tables.Connection, link: tables.Link) -> history.Entry:
    return history.Entry(
        organization_id=link.organization_id,
        connection_id=connection.id,
        link_id=link.id,
        task_id=link.task_id,
        event_id=link.event_id,
        action="cancel_event",
        outcome=Outcome.APPLIED,
        reason=Reason.DISCONNECTED,
    )
