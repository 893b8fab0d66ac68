"""OAuth 2.0 with Google: consent, tokens, refresh and revocation, over google-auth.

Facts 199-228 and 249-263; https://developers.google.com/identity/protocols/oauth2/web-server.
`consent` takes a user to Google and back, `account` keeps requests authorized
afterwards, `refusals` turns what Google answers into our errors. Tokens and secrets
are held in `values` that do not show them.
"""

from shared.adapters.google_oauth.account import AccountCredentials
from shared.adapters.google_oauth.consent import GoogleOAuth
from shared.adapters.google_oauth.refusals import (
    ConsentDeniedError,
    RedirectRefusedError,
    refusal,
)
from shared.adapters.google_oauth.values import (
    SCOPES,
    Authorization,
    Client,
    Endpoints,
    Grant,
    Tokens,
)

__all__ = [
    "SCOPES",
    "AccountCredentials",
    "Authorization",
    "Client",
    "ConsentDeniedError",
    "Endpoints",
    "GoogleOAuth",
    "Grant",
    "RedirectRefusedError",
    "Tokens",
    "refusal",
]
