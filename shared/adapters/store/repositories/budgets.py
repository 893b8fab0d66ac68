"""Queries on what is spent of the remotes' quotas."""

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import Budget


class Budgets(Repository[Budget]):
    """Queries on budgets."""

    table = Budget

    def locked(self, name: str) -> Budget:
        """Return a budget as it is now, a new one if need be; others wait for us."""
        return self._upsert({"name": name}, key=("name",))
