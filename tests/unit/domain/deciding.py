"""Situations to decide on: both sides as they last agreed, unless a test says else."""

from datetime import datetime

from shared.domain import mapping
from shared.domain.model import Baseline, Meeting, Responses
from shared.domain.reconcile import (
    Decision,
    Half,
    Presence,
    Situation,
    Write,
    event_write,
    reconcile,
    task_write,
)
from shared.domain.settings import ConflictPolicy, Settings
from tests.unit.domain.records import NO_RESPONSES, meeting

AGREED = meeting("Lunch")
BY_TASK = meeting("Lunch in the CRM")
BY_EVENT = meeting("Lunch in Google")
ENDED = mapping.cancelled(AGREED)

NOTHING = Half(presence=Presence.ABSENT)
TOMBSTONE = Half(presence=Presence.LIVE)
"""A bare row: the event is cancelled, and that is all we know."""
PURGED = Half(presence=Presence.GONE)

CRM_WINS = Settings(conflict_policy=ConflictPolicy.CRM_WINS)
GOOGLE_WINS = Settings(conflict_policy=ConflictPolicy.GOOGLE_WINS)
LATER_WINS = Settings(conflict_policy=ConflictPolicy.LAST_MODIFIED_WINS)
MANUAL = Settings(conflict_policy=ConflictPolicy.MANUAL)
ALL_POLICIES = [Settings(conflict_policy=policy) for policy in ConflictPolicy]


def live(present: Meeting = AGREED, changed_at: datetime | None = None) -> Half:
    """Return a side that has its record."""
    return Half(presence=Presence.LIVE, meeting=present, changed_at=changed_at)


def deleted(last: Meeting = AGREED, changed_at: datetime | None = None) -> Half:
    """Return the CRM's side after a task was deleted."""
    return Half(
        presence=Presence.GONE,
        meeting=mapping.cancelled(last),
        changed_at=changed_at,
    )


def agreed(known: Meeting = AGREED, responses: Responses = NO_RESPONSES) -> Baseline:
    """Return a baseline."""
    return Baseline(meeting=known, responses=responses)


def situation(
    task: Half | None = None, event: Half | None = None, **known: object
) -> Situation:
    """Return a link's situation; both sides are as agreed unless they are given."""
    fields = {"baseline": agreed(), **known}
    return Situation(task=task or live(), event=event or live(), **fields)  # type: ignore[arg-type] # by name


def decide(found: Situation, settings: Settings = LATER_WINS) -> Decision:
    """Decide, under last-modified-wins unless told."""
    return reconcile(found, settings)


def writes(found: Situation, decision: Decision) -> tuple[Write, Write]:
    """Return what the task and the event need."""
    assert decision.target is not None
    return task_write(found, decision.target), event_write(found, decision.target)
