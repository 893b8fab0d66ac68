"""Queries on previews."""

from datetime import datetime

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import Preview
from shared.adapters.store.tables.base import Document


class Previews(Repository[Preview]):
    """Queries on previews."""

    table = Preview

    def request(self, connection_id: int, now: datetime) -> Preview:
        """Store that a preview is asked for, in place of the connection's last one."""
        values = {
            "connection_id": connection_id,
            "requested_at": now,
            "finished_at": None,
            "error": None,
            "counts": None,
        }
        return self._upsert(values, key=("connection_id",))

    def finish(
        self,
        connection_id: int,
        *,
        counts: Document | None = None,
        error: str | None = None,
        now: datetime,
    ) -> None:
        """Store what it found, or why it found nothing."""
        row = self.by_id(connection_id)
        row.counts, row.error, row.finished_at = counts, error, now
