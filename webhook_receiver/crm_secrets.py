"""The webhook secrets of the organizations, kept for a moment.

So that a webhook normally costs no query, and webhooks are taken while the database is
away. A secret that was rotated is accepted at once: a signature that does not fit makes
us look again, though not at every bad one.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.adapters.store import Store
from shared.domain import errors, ports

KEPT = timedelta(seconds=10)
SECOND_LOOK = timedelta(seconds=1)
"""How soon the secrets of one organization may be read again for a bad signature."""
_MOST = 1000
"""More names than that are guesses of somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    secrets: Sequence[str] | None
    read_at: datetime


class CrmSecrets:
    """Reads and keeps secrets; safe to use from any thread."""

    def __init__(self, store: Store, clock: ports.Clock) -> None:
        """Take where the organizations are."""
        self._store = store
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._mutex = threading.Lock()

    def of(self, organization: str) -> Sequence[str] | None:
        """Return the valid secrets of an organization, or None if there is none.

        Raises `RemoteUnavailableError` when the database is away and nothing is known.
        """
        known = self._known.get(organization)
        # One that was not there a moment ago may be by now.
        kept = KEPT if known and known.secrets is not None else SECOND_LOOK
        if known is not None and self._clock.now() - known.read_at < kept:
            return known.secrets
        return self._read(organization)

    def newer(self, organization: str) -> Sequence[str] | None:
        """Return secrets that `of` did not know yet; None when there are none, or when
        the last look was too short ago.
        """
        known = self._known.get(organization)
        if known is None or self._clock.now() - known.read_at < SECOND_LOOK:
            return None
        found = self._read(organization)
        return found if found != known.secrets else None

    def _read(self, organization: str) -> Sequence[str] | None:
        known = self._known.get(organization)
        try:
            with self._store.read() as work:
                row = work.organizations.by_name(organization)
        except errors.RemoteUnavailableError:
            if known is None or known.secrets is None:
                raise
            return self._keep(organization, known.secrets)
        return self._keep(organization, row.crm_webhook_secrets if row else None)

    def _keep(
        self, organization: str, secrets: Sequence[str] | None
    ) -> Sequence[str] | None:
        known = _Known(secrets=secrets, read_at=self._clock.now())
        with self._mutex:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[organization] = known
        return secrets
