"""Park the work of a connection that Google no longer lets in, and tell its user."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, GoogleAppState
from shared.domain import access, errors, ports
from shared.domain.access import Problem
from workers.remotes import Remotes

log = logging.getLogger(__name__)

REFUSALS = (
    errors.GrantRevokedError,
    errors.AdminPolicyError,
    errors.MissingScopesError,
    errors.CalendarMissingError,
    errors.ApiDisabledError,
    errors.ClientRefusedError,
    errors.CalendarOffError,
    errors.AccessRefusedError,
)
"""What trying again does not mend: somebody has to do something about it."""

_STATES: Mapping[Problem, ConnectionState] = {
    Problem.REVOKED: ConnectionState.NEEDS_REAUTHORIZATION,
    Problem.TESTING_EXPIRED: ConnectionState.NEEDS_REAUTHORIZATION,
    Problem.ACCOUNT_GONE: ConnectionState.NEEDS_REAUTHORIZATION,
    Problem.ADMIN_POLICY: ConnectionState.NEEDS_REAUTHORIZATION,
    Problem.MISSING_SCOPES: ConnectionState.MISSING_SCOPES,
    Problem.CALENDAR_MISSING: ConnectionState.CALENDAR_MISSING,
    Problem.API_DISABLED: ConnectionState.PAUSED,
    Problem.CLIENT_REFUSED: ConnectionState.PAUSED,
    Problem.CALENDAR_OFF: ConnectionState.PAUSED,
    Problem.ACCESS_REFUSED: ConnectionState.PAUSED,
}
"""Paused are those that go on by themselves (`workers.probing`)."""

_APP_STATES: Mapping[Problem, GoogleAppState] = {
    Problem.API_DISABLED: GoogleAppState.API_DISABLED,
    Problem.CLIENT_REFUSED: GoogleAppState.REFUSED,
}

_KEYS = {ConnectionState.NEEDS_REAUTHORIZATION: "reauthorize"}
"""How the keys of notifications begin, where not with the state."""


class Parking:
    """Takes connections out of work until somebody has mended what is wrong."""

    def __init__(
        self, store: Store, remotes: Remotes, clock: ports.Clock, *, public_url: str
    ) -> None:
        """Take the address that the user is sent to for mending it."""
        self._store = store
        self._remotes = remotes
        self._clock = clock
        self._public_url = public_url

    @contextmanager
    def instead_of_failing(
        self,
        connection: tables.Connection,
        otherwise: Callable[[], None] = lambda: None,
    ) -> Iterator[None]:
        """Park the connection when Google refuses it in the block, and end the block.

        The message in hand counts as handled, after `otherwise`: the sync that follows
        once Google lets us in again looks at everything.
        """
        try:
            yield
        except REFUSALS as error:
            self.park(connection, error)
            otherwise()
        except errors.RecordNotFoundError as error:
            # What lists and watches name is the calendar.
            log.info("Found no calendar: %s", error)
            self.park(connection, errors.CalendarMissingError())
            otherwise()

    def park(self, used: tables.Connection, error: errors.RemoteAuthError) -> None:
        """Stop the work of a connection; tell its user once per change.

        Not when its user has connected again since it was `used`: the refusal says
        nothing about the access that there is now, and the sync that follows a connect
        looks at everything.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            connection = work.connections.locked(used.id)
            if connection.consented_at != used.consented_at:
                return
            problem = access.problem_of(
                error, consented_at=connection.consented_at, now=now
            )
            organization = _note_app(work, connection.organization_id, problem, now)
            is_news = _is_news(connection, problem)
            if is_news:
                connection.state = _STATES[problem]
                connection.problem = problem
                connection.probed_at = now
            work.commit()
        if is_news:
            log.warning("Parked connection %s: %s", connection.id, problem)
            self._tell(organization, connection, problem)

    def _tell(
        self,
        organization: tables.Organization,
        connection: tables.Connection,
        problem: Problem,
    ) -> None:
        state = _STATES[problem]
        notification = ports.Notification(
            title=problem.heading,
            body=problem.detail,
            link=f"{self._public_url}/me",
            key=f"{_KEYS.get(state, state)}:{connection.id}",
        )
        try:
            self._remotes.crm(organization).notify(connection.crm_user_id, notification)
        except errors.SyncError as failure:
            # The problem is on the user's and the admin's page all the same.
            log.warning("The CRM did not take the notification: %s", failure)


def _is_news(connection: tables.Connection, problem: Problem) -> bool:
    """Tell whether a refusal changes anything; what waits for its user goes on to."""
    if connection.state == ConnectionState.PAUSED:
        # Without a problem it is paused by somebody's wish.
        return connection.problem not in {None, problem}
    return connection.state == ConnectionState.ACTIVE


def _note_app(
    work: UnitOfWork, organization_id: int, problem: Problem, now: datetime
) -> tables.Organization:
    """Note at the organization what is wrong with its app: its admins read it there."""
    organization = work.organizations.by_id(organization_id)
    if problem in _APP_STATES:
        organization.google_app_state = _APP_STATES[problem]
        organization.google_checked_at = now
    return organization
