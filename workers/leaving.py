"""A connection that ends, and the events that we made on its calendars with it.

Record by record, each as often as need be: whatever breaks off is taken up again by the
next attempt, and only when the last event is gone is the access to Google given up. If
the user takes that access away meanwhile, the events that are left stay.
"""

import logging
from dataclasses import replace

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState, Outcome
from shared.domain import errors, identifiers, messages, model
from shared.domain.messages import Message
from shared.domain.reasons import Reason
from workers import history, holding, strays
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

    def __init__(self, services: Services) -> None:
        """Take the accounts, and the store."""
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
                self._remove(message, connection, link)
        except _ENDS as error:
            self._say_how_it_ended(message, connection, error)
        else:
            if message.attempt > 1:
                self._say_how_it_ended(message, connection)
        due = messages.HandoverDue(connection_id=connection.id)
        self._handover.connection(message, due)
        self._give_up_access(connection)

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
    ) -> None:
        names = holding.of_link(link)
        with holding.held(self._store, names) as is_held:
            if not is_held:
                raise errors.RecordBusyError
            with self._store.read() as work:
                copies = strays.copies_of(work, link)
            for copy in copies:
                if copy.can_be_removed(even_of=connection.id):
                    strays.remove(copy, self._store, self._remotes)
            now = self._clock.now()
            with self._store.begin() as work:
                work.links.by_id(link.id).state = LinkState.DETACHED
                line = _line(connection, link)
                history.record(work, _of_record(message, link), line, now=now)
                work.commit()

    def _give_up_access(self, connection: tables.Connection) -> None:
        with self._store.begin() as work:
            row = work.connections.locked(connection.id)
            if row.state != ConnectionState.PAUSED:
                return
            is_shared = work.connections.shares_account(row)
            work.connections.forget_access(row)
            work.channels.close_all_of(row.id)
            work.commit()
        log.info("Disconnected connection %s", connection.id)
        if not is_shared:
            try:
                self._remotes.revoke(connection)
            except errors.SyncError as error:
                # We have forgotten it; the user may revoke it at Google.
                log.warning("Google did not revoke a grant: %s", error)


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
