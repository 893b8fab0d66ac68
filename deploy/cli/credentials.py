"""Tokens of the API, and codes that sign somebody in once; only hashes are stored."""

import secrets
from datetime import datetime, timedelta

from shared.adapters.store import UnitOfWork, tables
from shared.domain import signing

TOKEN_PREFIX = "cst_"  # noqa: S105 - a prefix
"""So that a token which lies about can be told for what it is."""

LOGIN_LIFETIME = timedelta(minutes=5)
_BYTES = 32


def new_token(
    work: UnitOfWork,
    organization: tables.Organization,
    role: str,
    *,
    now: datetime,
    user_id: str | None = None,
    lifetime: timedelta | None = None,
) -> str:
    """Return a new token; without a lifetime it stays valid."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)
    work.tokens.add(
        tables.ApiToken(
            organization_id=organization.id,
            token_hash=signing.hash_secret(token),
            role=role,
            crm_user_id=user_id,
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
    )
    return token


def new_login_code(
    work: UnitOfWork,
    organization: tables.Organization,
    role: str,
    *,
    now: datetime,
    user_id: str | None = None,
) -> str:
    """Return a new code for /login, good once and for five minutes."""
    code = secrets.token_urlsafe(_BYTES)
    work.login_codes.add(
        tables.LoginCode(
            code_hash=signing.hash_secret(code),
            organization_id=organization.id,
            role=role,
            crm_user_id=user_id,
            expires_at=now + LOGIN_LIFETIME,
        )
    )
    return code
