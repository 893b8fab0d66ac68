"""Give up the access to a Google account: what is stored of it, then the grant."""

import logging

from shared.adapters.store import UnitOfWork, tables
from shared.domain import errors
from workers.remotes import Remotes

log = logging.getLogger(__name__)


def forget(work: UnitOfWork, connection: tables.Connection) -> bool:
    """Disconnect a row that is locked; return whether its grant is to be revoked.

    Not while another connection to the same account needs it.
    """
    is_shared = work.connections.shares_account(connection)
    work.connections.forget_access(connection)
    work.channels.close_all_of(connection.id)
    return not is_shared


def revoke(remotes: Remotes, connection: tables.Connection) -> bool:
    """End a grant, which `connection` still has, at Google.

    Returns False if Google did not; that is logged.
    """
    try:
        remotes.revoke(connection)
    except errors.SyncError as error:
        # We have forgotten it; the user may revoke it at Google.
        log.warning("Google did not revoke a grant: %s", error)
        return False
    return True
