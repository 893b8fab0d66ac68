"""Keeps the requests of one account authorized."""

import functools
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import google.auth.transport.requests
import google.oauth2.credentials
import requests

from shared.adapters.google_oauth import refusals, values


class AccountCredentials(google.oauth2.credentials.Credentials):
    """Lets requests in as one account; only one thread at a time refreshes.

    Refreshing raises our errors: `GrantRevokedError` for `invalid_grant` and nothing
    else, which is an `AccountGoneError` where Google says so; `ClientRefusedError`,
    `RemoteUnavailableError`, `RateLimitError`, or another `RemoteAuthError`.
    """

    def __init__(
        self,
        client: values.Client,
        tokens: values.Tokens,
        *,
        token_url: str,
        on_refresh: Callable[[values.Tokens], None],
        timeout_seconds: float,
    ) -> None:
        """Start from what is stored; no scopes, for they may be refused (fact 253)."""
        super().__init__(  # type: ignore[no-untyped-call] # google-auth has no types
            token=tokens.access_token,
            expiry=_naive(tokens.expires_at) if tokens.expires_at else None,
            refresh_token=tokens.refresh_token,
            token_uri=token_url,
            client_id=client.client_id,
            client_secret=client.client_secret,
        )
        self._on_refresh = on_refresh
        self._timeout_seconds = timeout_seconds
        self._refreshing = threading.Lock()
        self._sent = threading.local()

    def before_request(
        self, request: object, method: str, url: str, headers: dict[str, str]
    ) -> None:
        """Put a valid access token into the headers of a request."""
        super().before_request(request, method, url, headers)  # type: ignore[no-untyped-call] # google-auth has no types
        self._sent.token = self.token

    def refresh(self, request: object) -> None:  # noqa: ARG002 - its transport has no timeout
        """Fetch a new access token, unless another thread did so meanwhile."""
        refused = getattr(self._sent, "token", None)
        with self._refreshing:
            if self.valid and self.token != refused:
                return
            self._fetch()
            tokens = self._tokens()
        # Not under the lock: storing waits for a database that others may hold.
        self._on_refresh(tokens)

    def _fetch(self) -> None:
        what = "the refresh of an access token"
        with requests.Session() as session, refusals.mapped(what):
            refusals.check_answers(session, what)
            transport = google.auth.transport.requests.Request(session)
            super().refresh(  # type: ignore[no-untyped-call] # google-auth has no types
                functools.partial(transport, timeout=self._timeout_seconds)
            )

    def _tokens(self) -> values.Tokens:
        expiry: datetime | None = self.expiry
        return values.Tokens(
            refresh_token=str(self.refresh_token),
            access_token=self.token,
            expires_at=expiry.replace(tzinfo=UTC) if expiry else None,
        )


def _naive(moment: datetime) -> datetime:
    """Return the instant as google-auth keeps them: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
