"""Google accounts and CRMs by connection and organization (`workers.remotes`).

What is made for one is kept: an account's credentials, so that only one thread of this
process refreshes them (fact 255), and a CRM's client, whose threads keep connections.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.cli import consent
from deploy.cli.foundation import Foundation
from deploy.cli.recent import Recent
from shared import instruments
from shared.adapters import google_oauth
from shared.adapters.crm import CrmClient
from shared.adapters.google_calendar import GoogleCalendarApi, GoogleCalendarClient
from shared.adapters.store import Store, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, ports
from workers.pacing import PER_PROJECT, PER_USER, Pacing

log = logging.getLogger(__name__)

Pace = Callable[[int], None]

_MOST_ACCOUNTS = 2000
_MOST_ORGANIZATIONS = 200
_CLIENT_KEPT = timedelta(seconds=10)
"""For how long a Google client that was changed meanwhile may still be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """A Google account, and the client and grant that let us in."""

    client: google_oauth.Client
    refresh_token: str
    credentials: google_oauth.AccountCredentials
    calendars: GoogleCalendarClient


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    """The Google client of an organization."""

    client: google_oauth.Client
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _System:
    """The CRM of an organization, and what lets us in."""

    url: str
    api_key: str
    client: CrmClient


class Remotes:
    """Implements `workers.remotes.Remotes`; safe to use from any thread."""

    def __init__(
        self,
        *,
        api: GoogleCalendarApi,
        oauth: google_oauth.GoogleOAuth,
        store: Store,
        clock: ports.Clock,
    ) -> None:
        """Take Google's two sides, and the store that keeps new access tokens."""
        self._api = api
        self._oauth = oauth
        self._store = store
        self._clock = clock
        self._pacing = Pacing(store, clock)
        self._accounts: Recent[int, _Account] = Recent(_MOST_ACCOUNTS)
        self._clients: Recent[int, _Client] = Recent(_MOST_ORGANIZATIONS)
        self._systems: Recent[int, _System] = Recent(_MOST_ORGANIZATIONS)

    def google(self, connection: tables.Connection) -> ports.GoogleCalendar:
        """Return the calendars of a connection's Google account.

        Raises `GrantRevokedError` when the connection holds no tokens, and
        `ClientRefusedError` when its organization has no Google client.
        """
        if connection.refresh_token is None:
            message = f"connection {connection.id} holds no tokens"
            raise errors.GrantRevokedError(message)
        if connection.state == ConnectionState.PAUSED:
            # Google may have refused the client that we know: somebody mends it.
            self._clients.drop(connection.organization_id)
        client = self._client(connection.organization_id)
        account = self._accounts.get(
            connection.id,
            is_good=lambda known: _fits(known, connection, client),
            make=lambda: self._account(connection, client),
        )
        return account.calendars

    def revoke(self, connection: tables.Connection) -> None:
        """Have Google end the grant that a connection's tokens stand for."""
        if connection.refresh_token is not None:
            self._oauth.revoke(connection.refresh_token)

    def crm(self, organization: tables.Organization) -> ports.Crm:
        """Return the CRM of an organization."""
        url, api_key = organization.crm_url, organization.crm_api_key
        system = self._systems.get(
            organization.id,
            is_good=lambda known: (known.url, known.api_key) == (url, api_key),
            make=lambda: _System(
                url=url, api_key=api_key, client=self._crm(url, api_key)
            ),
        )
        return system.client

    def _crm(self, url: str, api_key: str) -> CrmClient:
        instrument = instruments.requests_to("crm")
        return CrmClient(url, api_key, self._clock, instrument=instrument)

    def _client(self, organization_id: int) -> google_oauth.Client:
        now = self._clock.now()
        known = self._clients.find(organization_id)
        if known is not None and now - known.read_at < _CLIENT_KEPT:
            return known.client
        with self._store.read() as work:
            row = work.organizations.by_id(organization_id)
        if not (row.google_client_id and row.google_client_secret):
            message = f"organization {row.name} has no Google client"
            raise errors.ClientRefusedError(message)
        client = google_oauth.Client(
            client_id=row.google_client_id, client_secret=row.google_client_secret
        )
        self._clients.keep(organization_id, _Client(client=client, read_at=now))
        return client

    def _account(
        self, connection: tables.Connection, client: google_oauth.Client
    ) -> _Account:
        connection_id, refresh_token = connection.id, connection.refresh_token or ""
        credentials = self._oauth.credentials(
            client,
            google_oauth.Tokens(
                refresh_token=refresh_token,
                access_token=connection.access_token,
                expires_at=connection.access_token_expires_at,
            ),
            on_refresh=lambda tokens: self._keep(connection_id, refresh_token, tokens),
        )
        return _Account(
            client=client,
            refresh_token=refresh_token,
            credentials=credentials,
            calendars=self._api.account(
                credentials, pace=self._pace(client.client_id, connection)
            ),
        )

    def _pace(self, client_id: str, connection: tables.Connection) -> Pace:
        """Return what keeps an account within its own and its project's quota."""
        project = client_id.partition("-")[0]
        quotas = {
            f"project {project}": PER_PROJECT,
            f"account {connection.google_sub} of {project}": PER_USER,
        }
        return lambda units: self._pacing.spend(quotas, units)

    def _keep(
        self, connection_id: int, refresh_token: str, tokens: google_oauth.Tokens
    ) -> None:
        """Store a new access token, unless the user has connected anew meanwhile."""
        try:
            with self._store.begin() as work:
                row = work.connections.by_id(connection_id)
                if row.refresh_token != refresh_token:
                    return
                row.refresh_token = tokens.refresh_token
                row.access_token = tokens.access_token
                row.access_token_expires_at = tokens.expires_at
                work.commit()
        except (errors.RemoteUnavailableError, errors.RecordBusyError) as error:
            # We hold it in memory; the next process fetches one of its own.
            log.warning("Could not store a new access token: %s", error)


def _fits(
    known: _Account, connection: tables.Connection, client: google_oauth.Client
) -> bool:
    """Tell whether an account still has the grant of this row, and the newest token."""
    if known.client != client or known.refresh_token != connection.refresh_token:
        return False
    stored = connection.access_token_expires_at
    mine: datetime | None = known.credentials.expiry
    if stored is None or mine is None:
        return True
    # Later in the store: another process has refreshed, so we need not.
    return stored <= mine.replace(tzinfo=UTC)


def build(base: Foundation) -> Remotes:
    """Return the remotes of a configuration."""
    config = base.config
    return Remotes(
        api=GoogleCalendarApi(
            api_url=config.google_api_url,
            push_address=config.push_address,
            clock=base.clock,
            instrument=instruments.requests_to("google"),
        ),
        oauth=consent.oauth(base),
        store=base.store,
        clock=base.clock,
    )
