"""Queries on what is spent of the remotes' quotas."""

from collections.abc import Iterable

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import Budget


class Budgets(Repository[Budget]):
    """Queries on budgets."""

    table = Budget

    def locked(self, names: Iterable[str]) -> dict[str, Budget]:
        """Return these budgets as they are now, new ones if need be; others wait.

        Two that want the same ones never wait for each other.
        """
        rows = [{"name": name} for name in sorted(names)]
        return {row.name: row for row in self._stored(rows, key=("name",))}
