"""Ends a connection: its tokens are forgotten and revoked, its links are kept."""

import logging

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors
from webhook_receiver.services import Services

log = logging.getLogger(__name__)


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
        _forget_tokens(connection)
        # Without tokens nobody can stop them. Whether Google goes on to notify is not
        # known: so connecting again must open new ones.
        work.channels.close_all_of(connection_id)
        work.commit()
    log.info("Disconnected connection %s", connection_id)
    if token is None or is_shared:
        return
    try:
        services.oauth.revoke(token)
    except errors.SyncError as error:
        # We have forgotten it, which is what counts; the user may revoke it at Google.
        log.warning("Google did not revoke a grant: %s", error)


def _forget_tokens(connection: tables.Connection) -> None:
    connection.state = ConnectionState.DISCONNECTED
    connection.refresh_token = None
    connection.access_token = None
    connection.access_token_expires_at = None
    connection.granted_scopes = []
