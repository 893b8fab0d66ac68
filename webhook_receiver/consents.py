"""Takes users to Google's consent page, and stores what they come back with."""

import logging
import secrets
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from shared.adapters import google_oauth
from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, GoogleAppState
from shared.domain import access, errors, signing
from shared.domain.messages import Trigger
from webhook_receiver.services import Services
from webhook_receiver.syncs import Syncs

log = logging.getLogger(__name__)

LIFETIME = timedelta(minutes=10)
CALLBACK_PATH = "/api/calendar-sync/callback"


class AppMissingError(errors.PermanentError):
    """The organization has no Google client id and secret yet."""


class StateError(errors.PermanentError):
    """The consent is not one that we asked for, or is over."""


class Outcome(StrEnum):
    """How a consent ended, if it did not fail."""

    CONNECTED = "connected"
    MISSING_SCOPES = "missing_scopes"
    NOT_STARTED = "not_started"
    DENIED = "denied"
    APP_VERIFIED = "app_verified"
    APP_DENIED = "app_denied"


class Consents:
    """Begins consents and finishes them."""

    def __init__(self, services: Services) -> None:
        """Take Google's endpoints, and where to store what users grant."""
        self._store = services.store
        self._oauth = services.oauth
        self._clock = services.clock
        self._syncs = Syncs(services)
        self.redirect_uri = services.public_url + CALLBACK_PATH

    def begin(
        self,
        organization_id: int,
        crm_user_id: str | None,
        *,
        waits_for_start: bool = False,
    ) -> str:
        """Return the address of the consent page; without user it is the app's own.

        With `waits_for_start` a first sync is only previewed, until somebody starts it.
        Raises `AppMissingError`.
        """
        state = secrets.token_urlsafe(32)
        with self._store.read() as work:
            organization = work.organizations.by_id(organization_id)
            hint = _login_hint(work, organization_id, crm_user_id)
        asked = self._oauth.authorization(
            client_of(organization),
            redirect_uri=self.redirect_uri,
            state=state,
            login_hint=hint,
        )
        now = self._clock.now()
        with self._store.begin() as work:
            work.oauth_states.add(
                tables.OAuthState(
                    state_hash=signing.hash_secret(state),
                    organization_id=organization_id,
                    crm_user_id=crm_user_id,
                    code_verifier=asked.code_verifier,
                    waits_for_start=waits_for_start,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
            )
            work.commit()
        return asked.url

    def finish(self, answer: Mapping[str, str]) -> Outcome:
        """Store what Google's answer to the callback grants.

        Raises `StateError`, and what `GoogleOAuth.exchange` raises.
        """
        asked, organization = self._redeem(answer.get("state", ""))
        code = answer.get("code", "")
        if not code:
            refusal = google_oauth.refusal(answer.get("error", ""), "the consent")
            if isinstance(refusal, google_oauth.ConsentDeniedError):
                is_apps = asked.crm_user_id is None
                return Outcome.APP_DENIED if is_apps else Outcome.DENIED
            raise refusal
        grant = self._exchange(organization, code, asked.code_verifier)
        if asked.crm_user_id is None:
            return self._verify_app(organization.id, grant)
        return self._connect(organization.id, asked, grant)

    def _redeem(self, state: str) -> tuple[tables.OAuthState, tables.Organization]:
        with self._store.begin() as work:
            now = self._clock.now()
            asked = work.oauth_states.redeem(signing.hash_secret(state), now=now)
            if asked is None:
                raise StateError
            organization = work.organizations.by_id(asked.organization_id)
            work.commit()
        return asked, organization

    def _exchange(
        self, organization: tables.Organization, code: str, code_verifier: str
    ) -> google_oauth.Grant:
        try:
            return self._oauth.exchange(
                client_of(organization),
                redirect_uri=self.redirect_uri,
                code=code,
                code_verifier=code_verifier,
            )
        except errors.ClientRefusedError:
            with self._store.begin() as work:
                self._note_app(work, organization.id, GoogleAppState.REFUSED)
                work.commit()
            raise

    def _verify_app(self, organization_id: int, grant: google_oauth.Grant) -> Outcome:
        """Note that Google accepts the app.

        What was granted is not needed, and not revoked either: that would end the grant
        of the same account's connection too (fact 202).
        """
        with self._store.begin() as work:
            row = self._note_app(work, organization_id, GoogleAppState.VERIFIED)
            row.google_connected_as = grant.address
            work.commit()
        return Outcome.APP_VERIFIED

    def _connect(
        self, organization_id: int, asked: tables.OAuthState, grant: google_oauth.Grant
    ) -> Outcome:
        with self._store.begin() as work:
            self._note_app(work, organization_id, GoogleAppState.VERIFIED)
            connection = self._connection(
                work, organization_id, asked.crm_user_id or ""
            )
            is_known = connection.google_sub == grant.sub
            if not is_known:
                # The calendars of another account are another set.
                work.calendars.select_none(connection.id)
            if not is_known or connection.state != ConnectionState.ACTIVE:
                # Whether they outlived the grant is not known: open new ones.
                work.channels.close_all_of(connection.id)
            self._store_grant(connection, grant)
            if grant.missing_scopes:
                work.commit()
                return Outcome.MISSING_SCOPES
            was_synced = is_known and connection.last_sync_at is not None
            if asked.waits_for_start and not was_synced:
                connection.state = ConnectionState.PAUSED
                connection.problem = access.Problem.NOT_STARTED
                work.commit()
                return Outcome.NOT_STARTED
            trigger = Trigger.REPAIR if was_synced else Trigger.BACKFILL
            job = self._syncs.open(work, connection, trigger)
            work.commit()
        self._begin_sync(job)
        return Outcome.CONNECTED

    def _begin_sync(self, job: tables.Job) -> None:
        try:
            self._syncs.queue([job])
        except errors.BrokerConnectionError as error:
            # The connection is stored all the same. `periodic` looks for calendars that
            # were never listed, and starts their first sync when the broker is back.
            log.warning("Left a first sync to the periodic work: %s", error)

    def _connection(
        self, work: UnitOfWork, organization_id: int, crm_user_id: str
    ) -> tables.Connection:
        known = work.connections.of_user(organization_id, crm_user_id)
        return known or work.connections.add(
            tables.Connection(
                organization_id=organization_id,
                crm_user_id=crm_user_id,
                state=ConnectionState.DISCONNECTED,
                created_at=self._clock.now(),
            )
        )

    def _store_grant(
        self, connection: tables.Connection, grant: google_oauth.Grant
    ) -> None:
        is_whole = not grant.missing_scopes
        connection.google_sub = grant.sub
        connection.google_address = grant.address
        connection.refresh_token = grant.tokens.refresh_token
        connection.access_token = grant.tokens.access_token
        connection.access_token_expires_at = grant.tokens.expires_at
        connection.granted_scopes = sorted(grant.granted_scopes)
        connection.consented_at = connection.connected_at = self._clock.now()
        connection.state = (
            ConnectionState.ACTIVE if is_whole else ConnectionState.MISSING_SCOPES
        )
        connection.problem = None if is_whole else access.Problem.MISSING_SCOPES

    def _note_app(
        self, work: UnitOfWork, organization_id: int, state: GoogleAppState
    ) -> tables.Organization:
        row = work.organizations.by_id(organization_id)
        row.google_app_state = state
        row.google_checked_at = self._clock.now()
        return row


def client_of(organization: tables.Organization) -> google_oauth.Client:
    """Return the Google client of an organization; raises `AppMissingError`."""
    if not (organization.google_client_id and organization.google_client_secret):
        raise AppMissingError
    return google_oauth.Client(
        client_id=organization.google_client_id,
        client_secret=organization.google_client_secret,
    )


def _login_hint(
    work: UnitOfWork, organization_id: int, crm_user_id: str | None
) -> str | None:
    """Return the account that Google is to offer first."""
    if crm_user_id is None:
        return None
    connection = work.connections.of_user(organization_id, crm_user_id)
    if connection is not None and connection.google_address:
        return connection.google_address
    user = work.users.of(organization_id, crm_user_id)
    return user.email if user else None
