"""How the loop of the state machine writes: each call only if nothing moved on."""

import contextlib

from shared.domain import errors, identifiers, mapping, model
from shared.domain.reconcile import Half, Write
from shared.domain.settings import Settings
from tests.property.links import Link
from tests.property.reading import Pair
from tests.property.sides import ACME, ANN, DIRECTORY, PRIMARY, World


def cancel_event(world: World, pair: Pair) -> None:
    """Cancel the event, if it is there."""
    if pair.event is None or pair.event.is_cancelled:
        return
    with contextlib.suppress(errors.RecordDeletedError):
        world.google.delete_event(
            PRIMARY, pair.event.id, etag=pair.event.etag, send_updates="none"
        )


def write_event(
    world: World, link: Link, pair: Pair, target: model.Meeting, write: Write
) -> None:
    """Bring the event to the target."""
    match write:
        case Write.NOTHING:
            pass
        case Write.CREATE:
            _create_event(world, link, pair, target)
        case Write.CANCEL:
            cancel_event(world, pair)
        case Write.UPDATE | Write.REVIVE:
            _patch_event(world, pair, target)


def _create_event(world: World, link: Link, pair: Pair, target: model.Meeting) -> None:
    assert pair.task is not None
    assert link.event_id is not None
    body = mapping.event_body(
        target,
        event_id=model.EventId(link.event_id),
        tag=_tag(pair.task),
        attendees=pair.task.attendees,
        directory=DIRECTORY,
    )
    try:
        world.google.insert_event(PRIMARY, body, send_updates="none")
    except errors.DuplicateRecordError:
        # It was made before, and is gone again if it is not there now.
        link.reserved = None
        raise


def _patch_event(world: World, pair: Pair, target: model.Meeting) -> None:
    assert pair.event is not None
    body = mapping.event_patch(
        pair.event,
        target,
        _changed(pair.situation.event, target),
        tag=_tag(pair.task) if pair.task is not None else None,
        directory=DIRECTORY,
        owner_id=ANN.id,
    )
    world.google.patch_event(
        PRIMARY, pair.event.id, body, etag=pair.event.etag, send_updates="none"
    )


def write_task(
    world: World, link: Link, pair: Pair, target: model.Meeting, settings: Settings
) -> None:
    """Bring the task to the target, and the guests' answers along."""
    if pair.task is None or pair.task.deleted:
        return
    body = mapping.task_patch(
        pair.task,
        target,
        _changed(pair.situation.task, target),
        responses=pair.situation.responses,
        settings=settings,
        directory=DIRECTORY,
        own=link.own,
    )
    if body:
        world.crm.update_task(pair.task.id, body, version=pair.task.version)


def create_task(
    world: World, link: Link, pair: Pair, target: model.Meeting, settings: Settings
) -> None:
    """Make the task of an event, or meet the one that was made before."""
    assert pair.event is not None
    body = mapping.task_body(
        target,
        type_name=settings.default_task_type,
        owner_id=ANN.id,
        responses=pair.situation.responses,
        event=pair.event,
        calendar_id=PRIMARY,
        directory=DIRECTORY,
    )
    uid = pair.event.ical_uid or pair.event.id
    key = identifiers.task_idempotency_key(ACME, uid, "", link.generation)
    link.take_task(world.crm.create_task(body, idempotency_key=key)["id"])


def _tag(task: model.Task) -> mapping.Tag:
    return mapping.Tag(task_id=task.id, organization=ACME)


def _changed(half: Half, target: model.Meeting) -> frozenset[model.Field]:
    if half.meeting is None:
        return frozenset(model.Field)
    return mapping.changed_fields(half.meeting, target)
