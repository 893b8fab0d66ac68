"""Try whether Google lets us in again where nobody has to consent anew.

What pauses a connection is mended by somebody else: an admin enables the Calendar API
or corrects the client secret. One paused connection of an organization is tried every
few minutes, each in its turn; once it gets in, the others are tried at once.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, GoogleAppState
from shared.domain import access, errors, identifiers, messages
from shared.domain.messages import Message, Queue, Trigger
from workers import intake, parking
from workers.services import Services

log = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=5)
"""How long a paused organization is left in peace between two tries."""

_PRIMARY = "primary"
"""What Google calls the main calendar of whoever asks (fact 45)."""

_FAR_AWAY = timedelta(days=36500)


class Probing:
    """Handles the messages that name a paused connection."""

    def __init__(self, services: Services, parked: parking.Parking) -> None:
        """Take the accounts, and where connections without access are parked."""
        self._services = services
        self._store = services.store
        self._clock = services.clock
        self._parking = parked

    def connection(self, message: Message, subject: messages.AccessDue) -> None:
        """Ask Google for next to nothing; if it answers, let the work go on."""
        with self._store.read() as work:
            connection = work.connections.by_id(subject.connection_id)
            calendar = work.calendars.selected_of(connection.id)
        if not _is_waiting(connection):
            return
        try:
            self._ask(connection, calendar)
        except parking.REFUSALS as error:
            self._parking.park(connection, error)
        except errors.RetryableError as error:
            # The next try comes by itself.
            log.info("Could not probe connection %s: %s", connection.id, error)
        else:
            self._go_on(message, connection)

    def _ask(
        self, connection: tables.Connection, calendar: tables.Calendar | None
    ) -> None:
        google = self._services.remotes.google(connection)
        calendar_id = calendar.google_calendar_id if calendar else _PRIMARY
        try:
            google.list_events(calendar_id, time_min=self._clock.now() + _FAR_AWAY)
        except errors.RecordNotFoundError:
            # We are let in; the sync that follows finds out what is not there.
            return

    def _go_on(self, message: Message, connection: tables.Connection) -> None:
        now = self._clock.now()
        with self._store.begin() as work:
            row = work.connections.locked(connection.id)
            if not _is_waiting(row):
                return
            if access.Problem(row.problem or "").is_of_app:
                _note_app(work, row.organization_id, now)
            work.connections.let_in(row, at=now)
            # Whether they outlived the pause is not known: open new ones.
            work.channels.close_all_of(row.id)
            others = work.connections.claim_probes(
                row.organization_id, now=now, before=message.queued_at
            )
            work.commit()
        log.info("Google lets connection %s in again", connection.id)
        intake.publish_sync(self._services, connection, Trigger.REPAIR, message)
        if others:
            due_now = [_message(other, now) for other in others]
            self._services.broker.publish(*due_now)


def due(work: UnitOfWork, now: datetime) -> Iterator[Message]:
    """Claim the connections whose turn it is now; yield a message for each."""
    before = now - INTERVAL
    for organization in work.organizations.all():
        connection = work.connections.to_probe(organization.id, before)
        if connection is not None and work.organizations.claim_probe(
            organization.id, now=now, before=before
        ):
            connection.probed_at = now
            yield _message(connection, now)


def _message(connection: tables.Connection, now: datetime) -> Message:
    subject = messages.AccessDue(connection_id=connection.id)
    return Message(
        id=identifiers.delivery_id(repr(subject), now.isoformat()),
        queue=Queue.RECORDS,
        subject=subject,
        trigger=Trigger.SCHEDULE,
        queued_at=now,
    )


def _is_waiting(connection: tables.Connection) -> bool:
    """Tell whether it is paused by Google, not by somebody's wish."""
    is_paused = connection.state == ConnectionState.PAUSED
    return is_paused and connection.problem not in {None, access.Problem.NOT_STARTED}


def _note_app(work: UnitOfWork, organization_id: int, now: datetime) -> None:
    organization = work.organizations.by_id(organization_id)
    organization.google_app_state = GoogleAppState.VERIFIED
    organization.google_checked_at = now
