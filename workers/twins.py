"""Find duplicates: events that one task has twice, and records that look alike.

What has to go is only told where it can be told apart; of two meetings that users made,
which may be two meetings, they have to say themselves.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from shared.adapters.store import tables
from shared.domain import model
from workers import likeness
from workers.orphans import Kind, Orphan, Repair, Scene, Spot, is_settled


def events_alike(scene: Scene, spots: Iterable[Spot]) -> Iterator[Orphan]:
    """Yield the events of one calendar that look like another that we made."""
    alike: dict[likeness.Key, list[Spot]] = defaultdict(list)
    for spot in spots:
        key = likeness.of_event(spot.event, owner_id=spot.connection.crm_user_id)
        if key is not None:
            alike[key].append(spot)
    for group in alike.values():
        ours = [spot for spot in group if scene.is_ours(spot)]
        # Several of one task are reported as such.
        others = [s for s in group if s.task_id not in {o.task_id for o in ours[:1]}]
        for spot in others if ours else ():
            like = ours[0].event.id
            yield spot.orphan(Kind.DUPLICATE_EVENTS, None, like=like)


def events_of_one_task(scene: Scene, ours: Iterable[Spot]) -> Iterator[Orphan]:
    """Yield the events, of all that we made, that tasks have besides their own.

    Which one is a task's own, its link says; without one it has to be rebuilt first.
    """
    by_task: dict[str, list[Spot]] = defaultdict(list)
    for spot in ours:
        if spot.task_id in scene.live:
            by_task[spot.task_id].append(spot)
    for task_id, spots in by_task.items():
        if len(spots) == 1:
            continue
        with scene.services.store.read() as work:
            link = work.links.of_task(scene.organization.id, task_id)
        own = link.event_id if link else scene.live[task_id].google_event_id
        kept = own or spots[0].event.id
        is_usable = link is not None and is_settled(link)
        repair = Repair.REMOVE_EVENT if is_usable else None
        for spot in spots:
            if spot.event.id != kept:
                yield spot.orphan(Kind.DUPLICATE_EVENTS, repair, like=kept)


def tasks_alike(scene: Scene, eventless: Collection[str | None]) -> Iterator[Orphan]:
    """Yield the tasks of one user that look like another, if any was imported.

    `eventless` are those whose event is gone.
    """
    alike: dict[likeness.Key, list[model.Task]] = defaultdict(list)
    for task in scene.live.values():
        key = likeness.of_task(task, scene.settings) if scene.is_due(task) else None
        if key is not None:
            alike[key].append(task)
    for group in alike.values():
        if len(group) > 1:
            yield from _twins(scene, group, eventless)


def _twins(
    scene: Scene, group: Sequence[model.Task], eventless: Collection[str | None]
) -> Iterator[Orphan]:
    with scene.services.store.read() as work:
        organization_id = scene.organization.id
        links = {t.id: work.links.of_task(organization_id, t.id) for t in group}
    if not any(_is_imported(task, links[task.id]) for task in group):
        return
    first, *others = sorted(group, key=lambda task: links[task.id] is None)
    for task in others:
        has_event = task.google_event_id and task.id not in eventless
        is_loose = links[task.id] is None and not has_event
        can_go = is_loose and links[first.id] is not None
        yield Orphan(
            kind=Kind.DUPLICATE_TASKS,
            crm_user_id=task.owner_id,
            task_id=task.id,
            event_id=task.google_event_id,
            title=task.title,
            like=first.id,
            repair=Repair.CANCEL_TWIN if can_go else None,
        )


def _is_imported(task: model.Task, link: tables.Link | None) -> bool:
    if link is not None:
        return link.origin == model.Side.GOOGLE
    return task.google_event_id is not None
