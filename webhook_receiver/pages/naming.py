"""What meetings are called that a record names by its ids only."""

from collections.abc import Sequence
from typing import Protocol

from shared.adapters.store import UnitOfWork
from webhook_receiver import identity
from webhook_receiver.api import links


class Record(Protocol):
    """Something about a task, or else about an event."""

    @property
    def task_id(self) -> str | None:
        """The task, if that is known."""
        ...

    @property
    def event_id(self) -> str | None:
        """The event, if that is known."""
        ...


def titles(work: UnitOfWork, records: Sequence[Record]) -> list[str | None]:
    """Return the title of each, by its link; None where there is none."""
    organization_id = identity.caller().organization_id
    of_tasks = work.links.of_tasks(
        organization_id, {each.task_id for each in records if each.task_id}
    )
    of_events = work.links.of_event_ids_in(
        organization_id, {each.event_id for each in records if each.event_id}
    )
    found = []
    for record in records:
        link = of_tasks.get(record.task_id or "")
        if record.task_id is None:
            link = of_events.get(record.event_id or "")
        found.append(links.title_of(link) if link else None)
    return found
