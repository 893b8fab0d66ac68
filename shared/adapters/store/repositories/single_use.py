"""Queries on what can be used once: sign-in codes, and consents under way."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, inspect, update

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import LoginCode, OAuthState

Row = TypeVar("Row", LoginCode, OAuthState)


class SingleUse(Repository[Row]):
    """Queries on rows that are redeemed by their key, once, before they expire."""

    def redeem(self, key_hash: str, *, now: datetime) -> Row | None:
        """Use up a row and return it; None when it is unknown, used or expired.

        It counts as used once the unit of work is committed.
        """
        columns: Any = self.table.__table__.c
        (key,) = inspect(self.table).primary_key
        # Of several that redeem at once, one changes the row.
        taken = self._changed(
            update(self.table)
            .where(key == key_hash, columns.used_at.is_(None), columns.expires_at > now)
            .values(used_at=now)
        )
        return self.by_id(key_hash) if taken else None

    def forget_expired(self, before: datetime) -> int:
        """Delete what expired before then; return how many there were."""
        columns: Any = self.table.__table__.c
        return self._changed(delete(self.table).where(columns.expires_at < before))


class LoginCodes(SingleUse[LoginCode]):
    """Queries on sign-in codes."""

    table = LoginCode


class OAuthStates(SingleUse[OAuthState]):
    """Queries on consents under way."""

    table = OAuthState
