"""What the core gets to know of a pair, so that it can decide (`domain.reconcile`)."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain import mapping, model, reconcile
from workers.pair import Pair


def of(pair: Pair) -> reconcile.Situation:
    """Return what the decision about a pair depends on."""
    return reconcile.Situation(
        task=_task_half(pair),
        event=_event_half(pair),
        baseline=_known(pair),
        responses=pair.responses(),
        created_by=pair.created_by(),
        detached=pair.is_detached,
        out_of_scope=pair.out_of_scope,
        not_imported=pair.not_imported,
        on_hold=pair.on_hold(),
        read_only=pair.is_read_only(),
        declined=pair.is_off(),
        hold=pair.hold,
        choice=pair.choice,
    )


def task_edited_at(pair: Pair) -> datetime | None:
    """Return when the task was last edited, by our clock."""
    skew = timedelta(seconds=pair.organization.crm_skew_seconds)
    return pair.task.changed_at and pair.task.changed_at - skew


def event_edited_at(pair: Pair) -> datetime | None:
    """Return when the event was last edited, by our clock."""
    skew = timedelta(seconds=pair.connection.google_skew_seconds)
    return pair.event.changed_at and pair.event.changed_at - skew


def has_event_news(pair: Pair) -> bool:
    """Tell whether the event was edited since both sides last agreed."""
    known, event = _known(pair), pair.event_meeting()
    if known is None or event is None or pair.is_read_only():
        return False
    return bool(mapping.changed_fields(known.meeting, event))


def agree(pair: Pair, target: model.Meeting, responses: model.Responses) -> bool:
    """Move the baseline to `target` if that is where both sides are by now.

    `responses` are the answers that the CRM knows of.
    """
    sides = (_task_half(pair), _event_half(pair))
    are_there = all(_has_reached(side, target) for side in sides)
    if are_there:
        pair.baseline = model.Baseline(meeting=target, responses=dict(responses))
    return are_there


def _known(pair: Pair) -> model.Baseline | None:
    """Return the baseline with the addresses that its people have by now.

    A guest who connects a Google account is no edit of the meeting.
    """
    if pair.baseline is None:
        return None
    known = pair.baseline.meeting
    attendees = frozenset(pair.directory.in_crm(email) for email in known.attendees)
    return replace(pair.baseline, meeting=replace(known, attendees=attendees))


def _task_half(pair: Pair) -> reconcile.Half:
    return reconcile.Half(
        presence=pair.task.presence,
        meeting=pair.task_meeting(),
        changed_at=task_edited_at(pair),
    )


def _event_half(pair: Pair) -> reconcile.Half:
    return reconcile.Half(
        presence=pair.event.presence,
        meeting=pair.event_meeting(),
        changed_at=event_edited_at(pair),
    )


def _has_reached(half: reconcile.Half, target: model.Meeting) -> bool:
    if half.presence is not reconcile.Presence.LIVE or half.meeting is None:
        return target.cancelled
    return not mapping.changed_fields(half.meeting, target)
