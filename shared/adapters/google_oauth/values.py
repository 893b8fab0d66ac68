"""What goes into consent and comes out of it; secrets are not shown."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from shared.domain import model

SCOPES = (
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.settings.readonly",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
)
"""In full form, as Google spells them in what it grants (facts 225 and 259)."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where Google's OAuth is; http only on this machine, else `ValueError`."""

    auth_url: str
    token_url: str
    revoke_url: str

    def __post_init__(self) -> None:
        """Refuse to send secrets over the network in the clear."""
        for name in ("auth_url", "token_url", "revoke_url"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                message = f"{name} must be https; http is only for this machine"
                raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The OAuth client of an organization's Google Cloud project."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What is stored of a user's grant.

    The access token lets requests in until `expires_at`; where there is none, one is
    fetched.
    """

    refresh_token: str = field(repr=False)
    access_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """Where to send the user, and what `exchange` needs when they come back."""

    url: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a user consented to; `sub` is the account's key, `address` may change."""

    sub: str
    address: model.Address
    tokens: Tokens
    granted_scopes: frozenset[str]

    @property
    def missing_scopes(self) -> frozenset[str]:
        """The scopes that were asked for and unticked (fact 217)."""
        return frozenset(SCOPES) - self.granted_scopes
