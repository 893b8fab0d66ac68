"""How the loop of the state machine reads both sides of a link."""

from dataclasses import dataclass

from shared.domain import errors, mapping, model, reconcile, scope
from shared.domain.model import Side
from shared.domain.reasons import Reason
from shared.domain.reconcile import Half, Presence, Situation
from shared.domain.settings import Settings
from tests.property.links import Link, Seen
from tests.property.sides import ANN, DIRECTORY, PRIMARY, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What was read of both sides, and what the decision depends on."""

    task: model.Task | None
    event: model.Event | None
    situation: Situation


def read(world: World, link: Link, settings: Settings, *, is_new: bool) -> Pair:
    """Return both sides of a link as they are now."""
    event_half, event = _read_event(world, link, is_new=is_new)
    task_half, task = _read_task(world, link, settings)
    situation = Situation(
        task=task_half,
        event=event_half,
        baseline=link.baseline,
        responses=_responses(event, event_half, link.baseline),
        created_by=link.created_by,
        detached=link.is_detached,
        out_of_scope=_why_out_of_scope(task, settings),
        not_imported=scope.why_not_imported(event, settings)
        if is_new and event is not None
        else None,
        on_hold=scope.why_on_hold(event, settings) if event is not None else None,
        read_only=link.is_read_only,
        declined=event is not None and _is_declined(event, is_new=is_new),
    )
    return Pair(task=task, event=event, situation=situation)


def _read_task(
    world: World, link: Link, settings: Settings
) -> tuple[Half, model.Task | None]:
    if link.task_id is None:
        return reconcile.ABSENT, None
    try:
        document = world.crm.get_task(link.task_id)
    except errors.RecordNotFoundError:
        return Half(presence=Presence.GONE), None
    task = mapping.task_from_document(document)
    meeting = mapping.meeting_of_task(
        task, directory=DIRECTORY, settings=settings, own=link.own
    )
    link.task_seen.see(meeting, task.updated_at)
    presence = Presence.GONE if task.deleted else Presence.LIVE
    return _half(presence, link.task_seen), task


def _is_declined(event: model.Event, *, is_new: bool) -> bool:
    """Tell whether a linked event counts as cancelled; a new one is not imported."""
    return not is_new and scope.has_declined(event)


def _read_event(
    world: World, link: Link, *, is_new: bool
) -> tuple[Half, model.Event | None]:
    if link.event_id is None:
        return reconcile.ABSENT, None
    try:
        document = world.google.get_event(PRIMARY, link.event_id)
    except errors.RecordNotFoundError:
        is_yet_to_come = link.reserved is Side.GOOGLE
        presence = Presence.ABSENT if is_yet_to_come else Presence.GONE
        return Half(presence=presence), None
    if link.reserved is Side.GOOGLE:
        link.reserved = None
    event = mapping.event_from_document(
        document, calendar_zone=world.google.habits.zone
    )
    meeting = mapping.meeting_of_event(event, directory=DIRECTORY, owner_id=ANN.id)
    if meeting is not None and _is_declined(event, is_new=is_new):
        meeting = mapping.cancelled(meeting)
    link.event_seen.see(meeting, event.updated_at)
    if event.when is not None:
        link.own = mapping.own_addresses(event, directory=DIRECTORY)
        link.is_read_only = scope.is_read_only(event, "owner")
    return _half(Presence.LIVE, link.event_seen), event


def _half(presence: Presence, seen: Seen) -> Half:
    return Half(presence=presence, meeting=seen.meeting, changed_at=seen.changed_at)


def _why_out_of_scope(task: model.Task | None, settings: Settings) -> Reason | None:
    if task is None or task.deleted:
        return None
    return scope.why_out_of_scope(task, settings)


def _responses(
    event: model.Event | None, half: Half, baseline: model.Baseline | None
) -> model.Responses:
    """Return the guests' answers; those known before where there is no event now."""
    if event is None or event.is_cancelled or half.meeting is None:
        return baseline.responses if baseline else {}
    answers = mapping.responses_of_event(event, directory=DIRECTORY)
    return {e: a for e, a in answers.items() if e in half.meeting.attendees}
