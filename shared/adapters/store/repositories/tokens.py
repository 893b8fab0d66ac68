"""Queries on API tokens."""

from datetime import datetime

from sqlalchemy import or_, select

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import ApiToken


class Tokens(Repository[ApiToken]):
    """Queries on API tokens."""

    table = ApiToken

    def by_hash(self, token_hash: str, *, now: datetime) -> ApiToken | None:
        """Return the token of this hash unless it has expired."""
        is_valid = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)
        return self._one(
            select(ApiToken).where(ApiToken.token_hash == token_hash, is_valid)
        )
