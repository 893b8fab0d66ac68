"""Launch tokens: the CRM says who opens our pages (JWT, RFC 7519, HS256)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from shared.adapters.store import tables
from shared.adapters.store.states import Role
from shared.domain import errors, signing
from webhook_receiver.identity import Identity
from webhook_receiver.services import Services

LONGEST = timedelta(minutes=5)
_LEEWAY = timedelta(seconds=10)
"""How far the CRM's clock may be ahead of ours."""
_KEY_BYTES = 32

_Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$"),
]


class LaunchError(errors.PermanentError):
    """The launch token is not one that we accept."""


class _Claims(BaseModel):
    sub: _Text
    org: _Text
    role: Role
    exp: Annotated[float, Field(gt=0, lt=1e11)]
    jti: _Text


class Launches:
    """Accepts launch tokens, each once."""

    def __init__(self, services: Services) -> None:
        """Take where organizations and used tokens are stored."""
        self._store = services.store
        self._clock = services.clock

    def redeem(self, token: str) -> Identity:
        """Return whom the CRM signs in; raises `LaunchError`."""
        organization = self._organization(_claims_of(token, key=None).org)
        if not organization.launch_secret:
            message = "the organization has no launch secret"
            raise LaunchError(message)
        claims = _claims_of(token, key=organization.launch_secret)
        self._check_time(claims)
        self._use_up(organization, claims)
        return Identity(
            organization_id=organization.id, role=claims.role, crm_user_id=claims.sub
        )

    def _organization(self, name: str) -> tables.Organization:
        with self._store.read() as work:
            organization = work.organizations.by_name(name)
        if organization is None:
            message = "there is no such organization"
            raise LaunchError(message)
        return organization

    def _check_time(self, claims: _Claims) -> None:
        left = claims.exp - self._clock.now().timestamp()
        if left <= 0:
            message = "it has expired"
            raise LaunchError(message)
        if left > (LONGEST + _LEEWAY).total_seconds():
            message = "it expires more than five minutes from now"
            raise LaunchError(message)

    def _use_up(self, organization: tables.Organization, claims: _Claims) -> None:
        """Keep the token as a sign-in code that was used, until it has expired."""
        used = signing.hash_secret(f"launch:{organization.id}:{claims.jti}")
        row = tables.LoginCode(
            code_hash=used,
            organization_id=organization.id,
            role=claims.role,
            crm_user_id=claims.sub,
            expires_at=datetime.fromtimestamp(claims.exp, UTC),
            used_at=self._clock.now(),
        )
        try:
            with self._store.begin() as work:
                work.login_codes.add(row)
                work.commit()
        except errors.RecordBusyError:
            message = "it was used before"
            raise LaunchError(message) from None


def _claims_of(token: str, *, key: str | None) -> _Claims:
    """Return the claims; unverified without a key, to find out whose key it must be."""
    # Time is checked by our own clock. HMAC fills short keys with zeros itself, so this
    # is the same key; it keeps PyJWT from warning about it with every launch.
    padded = (key or "").encode().ljust(_KEY_BYTES, b"\0")
    options: Any = {
        "verify_signature": key is not None,
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": False,
        "require": ["sub", "org", "role", "exp", "jti"],
    }
    try:
        claims = jwt.decode(token, padded, algorithms=["HS256"], options=options)
        return _Claims.model_validate(claims)
    except ValidationError as error:
        fields = sorted({str(part) for e in error.errors() for part in e["loc"][:1]})
        message = f"not as agreed: {', '.join(fields)}"
        raise LaunchError(message) from None
    except jwt.InvalidTokenError as error:
        message = f"it cannot be verified ({type(error).__name__})"
        raise LaunchError(message) from None
