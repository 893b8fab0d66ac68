"""An OAuth client, and what a stub in the place of Google's endpoints answers it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from shared.adapters import google_calendar, google_oauth
from shared.domain import errors
from tests import clocks, google_stub

CLIENT = google_oauth.Client(client_id="acme", client_secret="hush-client")  # noqa: S106 - made up
CALLBACK = "http://localhost:8080/api/calendar-sync/callback"
NOW = datetime.now(UTC).replace(microsecond=0)
MARK = "opaque-"
"""In every token, so that it can be looked for."""
OLD, NEW = MARK + "old", MARK + "new"
LASTING = MARK + "lasting"


REFUSALS = [
    (400, {"error": "invalid_grant"}, errors.GrantRevokedError),
    (
        400,
        {"error": "invalid_grant", "error_subtype": "invalid_rapt"},
        errors.GrantRevokedError,
    ),
    (
        400,
        {"error": "invalid_grant", "error_description": "Account has been deleted"},
        errors.AccountGoneError,
    ),
    (
        400,
        {
            "error": "invalid_grant",
            "error_description": "Token has been expired or revoked.",
        },
        errors.GrantRevokedError,
    ),
    (400, {"error": "invalid_grant", "error_description": 7}, errors.GrantRevokedError),
    (400, {"error": "admin_policy_enforced"}, errors.AdminPolicyError),
    (400, {"error": "org_internal"}, errors.AdminPolicyError),
    (401, {"error": "disabled_client"}, errors.ClientRefusedError),
    (401, {"error": "invalid_client"}, errors.ClientRefusedError),
    (401, {"error": "unauthorized_client"}, errors.ClientRefusedError),
    (401, {"error": "deleted_client"}, errors.ClientRefusedError),
    (400, {"error": "invalid_scope"}, errors.RemoteAuthError),
    (400, {"error": "redirect_uri_mismatch"}, google_oauth.RedirectRefusedError),
    (429, {"error": "rate_limit_exceeded"}, errors.RateLimitError),
    (500, {"error": "internal_failure"}, errors.RemoteUnavailableError),
    (503, None, errors.RemoteUnavailableError),
    (403, None, errors.RemoteUnavailableError),
    (302, None, errors.RemoteUnavailableError),
    (200, {"hello": "Wi-Fi"}, errors.RemoteUnavailableError),
    (200, None, errors.RemoteUnavailableError),
]
"""Status, body and our error, for code and refresh alike."""


def at(url: str) -> google_oauth.GoogleOAuth:
    """Return the OAuth of a server on this machine."""
    endpoints = google_oauth.Endpoints(
        auth_url=f"{url}/o/oauth2/v2/auth",
        token_url=f"{url}/token",
        revoke_url=f"{url}/revoke",
    )
    return google_oauth.GoogleOAuth(
        endpoints, clocks.SettableClock(NOW), timeout_seconds=2.0
    )


def id_token(**claims: object) -> str:
    """Return an id token that fits `CLIENT`, signed by nobody we know."""
    fitting = {
        "iss": "https://accounts.google.com",
        "aud": CLIENT.client_id,
        "sub": "1042",
        "email": "Ann@Example.com",
        "exp": NOW + timedelta(hours=1),
    }
    kept = {k: v for k, v in (fitting | claims).items() if v is not None}
    return jwt.encode(kept, "k" * 32, algorithm="HS256")


def token_answer(**fields: object) -> dict[str, Any]:
    """Return the token endpoint's answer to a code (fact 207)."""
    return {
        "access_token": NEW,
        "refresh_token": LASTING,
        "expires_in": 3599,
        "token_type": "Bearer",
        "scope": " ".join(reversed(google_oauth.SCOPES)),
        "id_token": id_token(),
        **fields,
    }


def exchanged(oauth: google_oauth.GoogleOAuth) -> google_oauth.Grant:
    """Exchange a code."""
    return oauth.exchange(
        CLIENT, redirect_uri=CALLBACK, code="4/code", code_verifier="v" * 43
    )


def stored(expires_at: datetime) -> google_oauth.Tokens:
    """Return tokens as they were stored."""
    return google_oauth.Tokens(
        refresh_token=LASTING, access_token=OLD, expires_at=expires_at
    )


def api(url: str) -> google_calendar.GoogleCalendarApi:
    """Return the Calendar API at the same server."""
    return google_calendar.GoogleCalendarApi(
        api_url=url,
        push_address=google_stub.PUSH_ADDRESS,
        clock=clocks.SettableClock(NOW),
        sleep=lambda _: None,
    )
