"""Record locks: whoever works on a task or on an event holds its name, or both names.

A link is held by the names of both its sides, so that the name under which a record is
known before it has a link keeps everybody out while the link is made.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from shared.adapters.store import Store, tables
from shared.domain import errors, messages


def of_task(organization_id: int, task_id: str) -> str:
    """Return the name of a task."""
    return f"task:{organization_id}:{task_id}"


def of_event(organization_id: int, event_id: str, ical_uid: str | None) -> str:
    """Return the name of an event, which all copies of a meeting share."""
    return f"event:{organization_id}:{ical_uid or event_id}"


def of_link(link: tables.Link) -> frozenset[str]:
    """Return the names of both sides of a link, as far as it has them."""
    names = set()
    if link.task_id is not None:
        names.add(of_task(link.organization_id, link.task_id))
    if link.event_id is not None:
        names.add(of_event(link.organization_id, link.event_id, link.ical_uid))
    return frozenset(names)


def names_of_task(
    subject: messages.TaskDue, link: tables.Link | None
) -> frozenset[str]:
    """Return what to hold while working on a task, which may have a link."""
    if link is not None:
        return of_link(link)
    return frozenset({of_task(subject.organization_id, subject.task_id)})


def names_of_event(
    organization_id: int, event_id: str, copy: tables.Copy | None
) -> frozenset[str]:
    """Return what to hold while working on an event without a link."""
    ical_uid = copy.ical_uid if copy else None
    return frozenset({of_event(organization_id, event_id, ical_uid)})


def check(names: frozenset[str], held: frozenset[str]) -> None:
    """Raise `RecordBusyError` for a record that got other names before it was held."""
    if names != held:
        raise errors.RecordBusyError


@contextmanager
def held(store: Store, names: Collection[str]) -> Iterator[bool]:
    """Hold all of these names in the block, or yield False: somebody else has one."""
    with store.try_lock(*sorted(names)) as is_held:
        yield is_held
