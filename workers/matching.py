"""Tasks and events that were there before us, and are the same meeting.

Who connects a calendar may have entered the same meetings on both sides by hand. Of
those that neither side has linked, one task and one event of the same user with the
same title, start and end are linked instead of being made again on the other side.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import mapping, model, scope
from shared.domain.settings import Settings
from workers import likeness


def link(
    work: UnitOfWork,
    calendar: tables.Calendar,
    events: Iterable[model.Event],
    tasks: Sequence[model.Document],
    settings: Settings,
) -> set[str]:
    """Link what looks alike, each record once; return the ids of the tasks.

    The event is the user's own: it stays when the task leaves the scope. Both are
    looked at as any two that meet for the first time.
    """
    connection = work.connections.by_id(calendar.connection_id)
    read = [mapping.task_from_document(document) for document in tasks]
    keys = [likeness.of_task(task, settings) for task in read]
    wanted = {key for key in keys if key is not None}
    alike = _by_likeness(work, calendar, events, connection.crm_user_id, wanted)
    linked: set[str] = set()
    for document, task, key in zip(tasks, read, keys, strict=True):
        found = alike.get(key) if key is not None else None
        if found and _is_free(work, connection.organization_id, task, settings):
            _store(
                work, connection.organization_id, calendar, found.popleft(), document
            )
            linked.add(task.id)
    return linked


def _by_likeness(
    work: UnitOfWork,
    calendar: tables.Calendar,
    events: Iterable[model.Event],
    owner_id: str,
    wanted: Collection[likeness.Key],
) -> dict[likeness.Key, deque[model.Event]]:
    alike: dict[likeness.Key, deque[model.Event]] = defaultdict(deque)
    for event in events:
        key = likeness.of_event(event, owner_id=owner_id)
        # A guest's copy may be led by the organizer's, and what names a task has one.
        is_own = event.is_organizer and event.task_id is None
        if key is None or key not in wanted or not is_own:
            continue
        copy = work.copies.of(calendar.id, event.id)
        if copy is not None and copy.link_id is None:
            alike[key].append(event)
    return alike


def _is_free(
    work: UnitOfWork, organization_id: int, task: model.Task, settings: Settings
) -> bool:
    return (
        task.status is not model.TaskStatus.CANCELLED
        and not task.deleted
        and task.google_event_id is None
        and scope.why_out_of_scope(task, settings) is None
        and work.links.of_task(organization_id, task.id) is None
    )


def _store(
    work: UnitOfWork,
    organization_id: int,
    calendar: tables.Calendar,
    event: model.Event,
    document: model.Document,
) -> None:
    uid, start = event.ical_uid or "", event.original_start or ""
    if work.links.of_ical(organization_id, uid, start) is not None:
        return
    copy = work.copies.of(calendar.id, event.id)
    changed_at = mapping.task_from_document(document).updated_at
    row = work.links.add(
        tables.Link(
            organization_id=organization_id,
            task_id=document["id"],
            task=dict(document),
            task_changed_at=changed_at,
            ical_uid=event.ical_uid,
            original_start=start,
            state=LinkState.ACTIVE,
            origin=model.Side.GOOGLE,
            generation=0,
            calendar_id=calendar.id,
            event_id=event.id,
            created_at=changed_at,
            updated_at=changed_at,
        )
    )
    if copy is not None:
        copy.link_id = row.id
