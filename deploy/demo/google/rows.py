"""The events of one calendar, in the order in which they last changed."""

from collections.abc import Iterator

from deploy.demo.google import model


class Rows:
    """Event copies by id; iteration follows `changed`, oldest change first."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[str, model.EventCopy] = {}
        self._series: dict[str, dict[str, None]] = {}
        self.updated = 0
        self.stamp = 0

    def __iter__(self) -> Iterator[model.EventCopy]:
        """Yield every copy, cancelled ones included."""
        return iter(self._rows.values())

    def get(self, event_id: str) -> model.EventCopy | None:
        """Return the copy of an id, if there is one."""
        return self._rows.get(event_id)

    def put(self, copy: model.EventCopy) -> None:
        """Add or replace a copy, which becomes the one changed last."""
        self._rows.pop(copy.id, None)
        self._rows[copy.id] = copy
        if copy.series_id:
            self._series.setdefault(copy.series_id, {})[copy.id] = None
        self.updated = max(self.updated, copy.updated)
        self.stamp = max(self.stamp, copy.stamp)

    def exceptions(self, series_id: str) -> list[model.EventCopy]:
        """Return the exceptions of a series, cancelled ones included."""
        return [self._rows[i] for i in self._series.get(series_id, ())]

    def changed_after(self, number: int) -> list[model.EventCopy]:
        """Return the copies whose last change has a higher number, in order."""
        found = []
        for copy in reversed(self._rows.values()):
            if copy.changed <= number:
                break
            found.append(copy)
        found.reverse()
        return found
