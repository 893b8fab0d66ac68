"""Park the work of a connection that Google no longer lets in, and tell its user."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.adapters.store import Store
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, ports
from workers.remotes import Remotes

log = logging.getLogger(__name__)

REFUSALS = (
    errors.GrantRevokedError,
    errors.MissingScopesError,
    errors.CalendarMissingError,
)
"""What only the user can mend, by connecting again or choosing another calendar."""

_TITLES = {
    ConnectionState.NEEDS_REAUTHORIZATION: (
        "Your Google Calendar is no longer connected"
    ),
    ConnectionState.MISSING_SCOPES: "Your Google Calendar needs one more permission",
    ConnectionState.CALENDAR_MISSING: "Your Google Calendar cannot be found any more",
}
_BODY = (
    "Your meetings are not synced until you connect again. "
    "Nothing is lost: everything that changed meanwhile follows afterwards."
)


class Parking:
    """Takes connections out of work until their users connect again."""

    def __init__(self, store: Store, remotes: Remotes, *, public_url: str) -> None:
        """Take the address that the user is sent to for connecting again."""
        self._store = store
        self._remotes = remotes
        self._public_url = public_url

    @contextmanager
    def instead_of_failing(
        self, connection_id: int, otherwise: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Park the connection when Google refuses it in the block, and end the block.

        The message in hand counts as handled, after `otherwise`: connecting again
        starts a sync, which looks at everything.
        """
        try:
            yield
        except REFUSALS as error:
            self.park(connection_id, error)
            otherwise()
        except errors.RecordNotFoundError as error:
            # What lists and watches name is the calendar.
            log.info("Found no calendar: %s", error)
            self.park(connection_id, errors.CalendarMissingError())
            otherwise()

    def park(self, connection_id: int, error: errors.RemoteAuthError) -> None:
        """Stop the work of an active connection; tell its user once per change."""
        state = _state_after(error)
        with self._store.begin() as work:
            connection = work.connections.locked(connection_id)
            if connection.state != ConnectionState.ACTIVE:
                return
            connection.state = state
            organization = work.organizations.by_id(connection.organization_id)
            work.commit()
        log.warning("Parked connection %s: %s", connection_id, state)
        notification = ports.Notification(
            title=_TITLES[state],
            body=_BODY,
            link=f"{self._public_url}/me",
            key=f"reauthorize:{connection_id}",
        )
        try:
            self._remotes.crm(organization).notify(connection.crm_user_id, notification)
        except errors.SyncError as failure:
            # The state is on the user's and the admin's page all the same.
            log.warning("The CRM did not take the notification: %s", failure)


def _state_after(error: errors.RemoteAuthError) -> ConnectionState:
    match error:
        case errors.MissingScopesError():
            return ConnectionState.MISSING_SCOPES
        case errors.CalendarMissingError():
            return ConnectionState.CALENDAR_MISSING
        case _:
            return ConnectionState.NEEDS_REAUTHORIZATION
