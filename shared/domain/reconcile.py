"""Decide what becomes of a task and its event, from where both are now.

The decision is a *target*: the meeting that both sides shall be equal to. What is to be
written follows from the target and the present state of each side (`task_write`,
`event_write`), so the table below needs no case for "which call".

With baseline B, task T and event E, compared in the synced fields only:

    T          E          then
    =B         =B         nothing
    changed    =B         E follows T
    =B         changed    T follows E
    changed    changed    equal: only the baseline moves; else the policy decides
    gone       as B       the event is cancelled
    as B       gone       the task is cancelled, never deleted
    gone       changed    the policy decides; the winner revives the loser
    out of scope          the event that we created goes, the task stays

Deleted and cancelled are one state here: a meeting with `cancelled` set. The shape is
that of vdirsyncer's sync (a status both sides agreed on, actions from the differences).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.domain import conflict, mapping
from shared.domain.model import Baseline, Field, Meeting, Responses, Side
from shared.domain.reasons import Reason
from shared.domain.settings import Settings


class Presence(StrEnum):
    """Whether a side has a record of this meeting."""

    ABSENT = "absent"
    """It never had one."""
    LIVE = "live"
    """It has one, which may be cancelled."""
    GONE = "gone"
    """It had one that cannot be brought back."""


class Hold(StrEnum):
    """What an admin says to a record that was deleted together with many others."""

    WAITING = "waiting"
    """Nothing yet: neither side is written."""
    APPROVED = "approved"
    REJECTED = "rejected"
    """What was deleted is restored from the other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One side of a link as it is now.

    `meeting` is set while the record can be read. `changed_at` is when a synced field
    last changed there, by our clock; only last-modified-wins looks at it.
    """

    presence: Presence
    meeting: Meeting | None = None
    changed_at: datetime | None = None


ABSENT = Half(presence=Presence.ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything a decision depends on, besides the settings."""

    task: Half
    event: Half
    baseline: Baseline | None = None
    responses: Responses = field(default_factory=dict)
    """The guests' answers on the event."""
    created_by: Side = Side.CRM
    """Which side the meeting was first made on."""
    detached: bool = False
    """The link was taken out of use before."""
    out_of_scope: Reason | None = None
    """Why this task is not to be synced."""
    not_imported: Reason | None = None
    """Why this event is not to become a task."""
    on_hold: Reason | None = None
    """Why the event, in its present form, cannot be mapped to a task."""
    read_only: bool = False
    """The event may not be written, or made, by its calendar's user."""
    declined: bool = False
    """The calendar's user declined, and nobody else who is connected still comes.

    The event's half says `cancelled` then. No write of ours can take a decline back.
    """
    hold: Hold | None = None
    """What an admin says to the deletion of one side."""
    choice: conflict.Choice | None = None
    """What a user has chosen, who saw both sides as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What shall be true of both sides, and why.

    Without `target` both sides stay as they are. `contested` names the fields of a
    conflict that waits for a user. `detach` takes the link out of use; `remove_event`
    then cancels the event that we created.
    """

    reason: Reason
    target: Meeting | None = None
    responses: Responses = field(default_factory=dict)
    contested: frozenset[Field] = frozenset()
    detach: bool = False
    remove_event: bool = False


class Write(StrEnum):
    """What one side needs to reach the target."""

    NOTHING = "nothing"
    CREATE = "create"
    UPDATE = "update"
    CANCEL = "cancel"
    REVIVE = "revive"


def reconcile(situation: Situation, settings: Settings) -> Decision:
    """Return what shall become of the two sides; the same input, the same answer."""
    reason = situation.out_of_scope or _why_unmappable(situation.task)
    if reason is not None:
        return _leave_scope(situation, reason)
    if situation.task.presence is Presence.ABSENT:
        return _import(situation)
    if situation.on_hold is not None and _present(situation.event) is not None:
        return Decision(reason=situation.on_hold)
    if situation.event.presence is Presence.ABSENT:
        return _export(situation)
    task = _present(situation.task)
    # What is over on both sides is compared: its restoring must count as news then.
    if task is not None and _was_removed(situation):
        return _return_to_scope(situation, task)
    return _compare(situation, settings)


def task_write(situation: Situation, target: Meeting) -> Write:
    """Return what the task needs; a deleted task is made anew, never revived."""
    if situation.task.presence is not Presence.LIVE:
        return Write.NOTHING if target.cancelled else Write.CREATE
    return _write(situation.task.meeting, target)


def event_write(situation: Situation, target: Meeting) -> Write:
    """Return what the event needs; one that is purged is made anew."""
    if situation.event.presence is not Presence.LIVE:
        return Write.NOTHING if target.cancelled else Write.CREATE
    return _write(situation.event.meeting, target)


def _write(present: Meeting | None, target: Meeting) -> Write:
    if present is None:
        # A bare tombstone: all we know is that it is cancelled (facts 64-65).
        return Write.NOTHING if target.cancelled else Write.REVIVE
    if present.cancelled and not target.cancelled:
        return Write.REVIVE
    if target.cancelled and not present.cancelled:
        return Write.CANCEL
    changed = mapping.changed_fields(present, target)
    return Write.UPDATE if changed else Write.NOTHING


def _why_unmappable(task: Half) -> Reason | None:
    """Tell a live task without a date from one that is over: it cancels no event."""
    is_undated = task.presence is Presence.LIVE and task.meeting is None
    return Reason.NO_DUE_DATE if is_undated else None


def _present(half: Half) -> Meeting | None:
    """Return the meeting of a side that has it and has not cancelled it."""
    if half.presence is not Presence.LIVE or half.meeting is None:
        return None
    return None if half.meeting.cancelled else half.meeting


def _was_removed(situation: Situation) -> bool:
    """Tell whether we took the event away because its task had left the scope."""
    ours = situation.detached and situation.created_by is Side.CRM
    return ours and _present(situation.event) is None


def _leave_scope(situation: Situation, reason: Reason) -> Decision:
    if situation.detached or situation.event.presence is Presence.ABSENT:
        return Decision(reason=reason)
    ours = situation.created_by is Side.CRM and not situation.read_only
    return Decision(reason=reason, detach=True, remove_event=ours)


def _import(situation: Situation) -> Decision:
    event = _present(situation.event)
    if event is None:
        return Decision(reason=Reason.NOTHING_TO_CANCEL)
    reason = situation.not_imported or situation.on_hold
    if reason is not None:
        return Decision(reason=reason)
    return _settled(situation, Reason.EVENT_CREATED, event)


def _export(situation: Situation) -> Decision:
    task = _present(situation.task)
    if task is None:
        return Decision(reason=Reason.NOTHING_TO_CANCEL)
    if situation.read_only:
        return Decision(reason=Reason.READ_ONLY_EVENT)
    return _settled(situation, Reason.TASK_CREATED, task)


def _return_to_scope(situation: Situation, task: Meeting) -> Decision:
    """Bring back the event that was removed when the task left the scope."""
    if situation.read_only:
        return Decision(reason=Reason.READ_ONLY_EVENT)
    if situation.declined:
        return Decision(reason=Reason.DECLINED)
    return _settled(situation, Reason.BACK_IN_SCOPE, task)


def _compare(situation: Situation, settings: Settings) -> Decision:
    known = situation.baseline.meeting if situation.baseline else None
    task = _state(situation.task, known or situation.event.meeting)
    event = _state(situation.event, known or situation.task.meeting)
    if task is None or event is None:
        return Decision(reason=Reason.NOTHING_TO_CANCEL)
    if situation.hold is not None and task.cancelled != event.cancelled:
        if situation.hold is Hold.WAITING:
            return Decision(reason=Reason.MASS_DELETION)
        if situation.hold is Hold.REJECTED:
            live = event if task.cancelled else task
            return _settled(situation, Reason.DELETION_REJECTED, live)
    if not mapping.changed_fields(task, event):
        reason = _agreement(situation, known, event)
        return _settled(situation, reason, _survivor(situation, task, event))
    if situation.read_only or situation.declined:
        return _follow_read_only(situation, task, event)
    return _follow(situation, settings, task, event)


def _follow(
    situation: Situation, settings: Settings, task: Meeting, event: Meeting
) -> Decision:
    """Let the side that was not edited follow the one that was."""
    known = situation.baseline.meeting if situation.baseline else None
    if known is not None and not mapping.changed_fields(known, event):
        return _settled(situation, _task_reason(situation, known, task), task)
    if known is not None and not mapping.changed_fields(known, task):
        return _settled(situation, _event_reason(situation, known, event), event)
    return _settle(situation, settings, task, event)


def _state(half: Half, otherwise: Meeting | None) -> Meeting | None:
    """Read a record that is gone, or a bare tombstone, as cancelled.

    Without its own last fields it has those of `otherwise`.
    """
    if half.meeting is not None and half.presence is Presence.LIVE:
        return half.meeting
    last = half.meeting or otherwise
    return replace(last, cancelled=True) if last else None


def _survivor(situation: Situation, task: Meeting, event: Meeting) -> Meeting:
    """Of two equal sides take the event: it is what Google made of the same values."""
    return event if situation.event.meeting is not None else task


def _agreement(situation: Situation, known: Meeting | None, event: Meeting) -> Reason:
    if known is None:
        return Reason.ADOPTED
    if mapping.changed_fields(known, event):
        return Reason.SAME_EDIT
    if _answers_changed(situation):
        return Reason.GUESTS_ANSWERED
    return Reason.UNCHANGED


def _answers_changed(situation: Situation) -> bool:
    before = situation.baseline.responses if situation.baseline else {}
    return dict(situation.responses) != dict(before)


def _task_reason(situation: Situation, known: Meeting, task: Meeting) -> Reason:
    if situation.task.presence is Presence.GONE:
        return Reason.TASK_DELETED
    if task.cancelled:
        return Reason.TASK_CANCELLED
    return Reason.TASK_REOPENED if known.cancelled else Reason.TASK_EDITED


def _event_reason(situation: Situation, known: Meeting, event: Meeting) -> Reason:
    if situation.declined:
        return Reason.DECLINED
    if event.cancelled:
        return Reason.EVENT_CANCELLED
    return Reason.EVENT_RESTORED if known.cancelled else Reason.EVENT_EDITED


def _follow_read_only(situation: Situation, task: Meeting, event: Meeting) -> Decision:
    """Set the task back to Google's values; a deleted task is left deleted."""
    known = situation.baseline.meeting if situation.baseline else None
    if known is not None and not mapping.changed_fields(known, task):
        return _settled(situation, _event_reason(situation, known, event), event)
    if situation.task.presence is Presence.GONE:
        return Decision(reason=Reason.READ_ONLY_EVENT, detach=True)
    return _settled(situation, Reason.READ_ONLY_EVENT, event)


def _settle(
    situation: Situation, settings: Settings, task: Meeting, event: Meeting
) -> Decision:
    known = situation.baseline.meeting if situation.baseline else None
    verdict = conflict.settle(
        conflict.Edits(
            known=known,
            task=task,
            event=event,
            task_changed_at=situation.task.changed_at,
            event_changed_at=situation.event.changed_at,
            choice=situation.choice,
        ),
        settings,
    )
    if verdict.meeting is None:
        return Decision(reason=verdict.reason, contested=verdict.contested)
    return _settled(situation, verdict.reason, verdict.meeting)


def _settled(situation: Situation, reason: Reason, target: Meeting) -> Decision:
    return Decision(reason=reason, target=target, responses=situation.responses)
