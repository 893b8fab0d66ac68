"""Ends a connection: its tokens are forgotten and revoked, its links are kept."""

import logging
from dataclasses import replace

from shared.adapters.store.states import ConnectionState, Direction
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from webhook_receiver import looks
from webhook_receiver.services import Services

log = logging.getLogger(__name__)


def remove_and_disconnect(services: Services, connection_id: int) -> None:
    """Have a worker remove the events that we made, and disconnect the user then."""
    now = services.clock.now()
    with services.store.begin() as work:
        connection = work.connections.locked(connection_id)
        connection.state = ConnectionState.PAUSED
        connection.probed_at = now
        job = work.jobs.start(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            trigger=Trigger.MANUAL,
            direction=Direction.CRM_TO_GOOGLE,
            now=now,
        )
        work.commit()
    due = messages.RemovalDue(connection_id=connection_id)
    (message,) = looks.messages_for(
        [due], Trigger.MANUAL, services.clock, job_id=job.id
    )
    try:
        # There may be thousands of events: nobody's edits are to wait for that.
        services.broker.publish(replace(message, queue=Queue.BACKFILL))
    except errors.BrokerConnectionError:
        with services.store.begin() as work:
            work.connections.by_id(connection_id).state = ConnectionState.ACTIVE
            work.jobs.fail(job.id, now=now)
            work.commit()
        raise


def disconnect(services: Services, connection_id: int) -> None:
    """Disconnect a user from Google; again does nothing.

    Links, calendars and events stay, so that connecting the same account takes all of
    them up again and creates nothing.
    """
    with services.store.begin() as work:
        connection = work.connections.by_id(connection_id)
        token = connection.refresh_token
        # Google ends all grants of an account to a project at once (fact 216).
        is_shared = work.connections.shares_account(connection)
        work.connections.forget_access(connection)
        # Without tokens nobody can stop them. Whether Google goes on to notify is not
        # known: so connecting again must open new ones.
        work.channels.close_all_of(connection_id)
        work.commit()
    log.info("Disconnected connection %s", connection_id)
    if token is not None and not is_shared:
        _revoke(services, token)
    _have_handed_over(services, connection_id)


def _revoke(services: Services, token: str) -> None:
    try:
        services.oauth.revoke(token)
    except errors.SyncError as error:
        # We have forgotten it, which is what counts; the user may revoke it at Google.
        log.warning("Google did not revoke a grant: %s", error)


def _have_handed_over(services: Services, connection_id: int) -> None:
    """Have a worker look whose copies of shared meetings are to lead by now."""
    due = messages.HandoverDue(connection_id=connection_id)
    services.broker.publish(*looks.messages_for([due], Trigger.REPAIR, services.clock))
