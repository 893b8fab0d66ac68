"""Who wins when both sides of a meeting were edited since they last agreed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from shared.domain import mapping
from shared.domain.model import Field, Meeting, Side
from shared.domain.reasons import Reason
from shared.domain.settings import ConflictPolicy, Settings

Choice = Mapping[Field, Side]
"""The side whose value a user wants, by field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Two different edits of one meeting; `known` is what both sides had before.

    The times are those of the last change of a synced field on each side, corrected to
    our clock; None where the side did not say.
    """

    known: Meeting | None
    task: Meeting
    event: Meeting
    task_changed_at: datetime | None
    event_changed_at: datetime | None
    choice: Choice | None = None
    """What a user has chosen, who saw these very edits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meeting both sides shall have; None when a user has to choose."""

    reason: Reason
    meeting: Meeting | None = None
    contested: frozenset[Field] = frozenset()


def settle(edits: Edits, settings: Settings) -> Verdict:
    """Return the policy's verdict on two edits that differ.

    Policies decide on the whole record. With `merge_disjoint_edits`, fields that only
    one side changed survive both, and the policy decides on the others; a meeting that
    one side cancelled is always decided as a whole.
    """
    if edits.choice is not None:
        return _chosen(edits, edits.choice)
    contested = mapping.changed_fields(edits.task, edits.event)
    if (
        settings.merge_disjoint_edits
        and edits.known
        and Field.CANCELLED not in contested
    ):
        return _merge(edits, edits.known, settings)
    winner, reason = _winner(edits, settings.conflict_policy)
    if winner is None:
        return Verdict(reason=reason, contested=contested)
    meeting = edits.task if winner is Side.CRM else edits.event
    return Verdict(reason=reason, meeting=meeting)


def _chosen(edits: Edits, choice: Choice) -> Verdict:
    """Return what a user chose; where that leaves a field open, its edit survives."""
    by_event = mapping.changed_fields(edits.known, edits.event) if edits.known else ()
    from_google = frozenset(
        f for f in Field if choice.get(f, _editor(f, by_event)) is Side.GOOGLE
    )
    meeting = _take(from_google, edits.event, edits.task)
    return Verdict(reason=Reason.CONFLICT_SETTLED, meeting=meeting)


def _editor(field: Field, by_event: Collection[Field]) -> Side:
    return Side.GOOGLE if field in by_event else Side.CRM


def _merge(edits: Edits, known: Meeting, settings: Settings) -> Verdict:
    by_task = mapping.changed_fields(known, edits.task)
    by_event = mapping.changed_fields(known, edits.event)
    contested = by_task & by_event & mapping.changed_fields(edits.task, edits.event)
    merged = _take(by_event - contested, edits.event, edits.task)
    if not contested:
        return Verdict(reason=Reason.MERGED, meeting=merged)
    winner, reason = _winner(edits, settings.conflict_policy)
    if winner is None:
        return Verdict(reason=reason, contested=contested)
    if winner is Side.GOOGLE:
        merged = _take(contested, edits.event, merged)
    return Verdict(reason=reason, meeting=merged)


def _take(fields: frozenset[Field], source: Meeting, target: Meeting) -> Meeting:
    """Return `target` with `fields` as they are in `source`."""
    values: dict[str, Any] = {f.value: getattr(source, f.value) for f in fields}
    return replace(target, **values)


def _winner(edits: Edits, policy: ConflictPolicy) -> tuple[Side | None, Reason]:
    match policy:
        case ConflictPolicy.CRM_WINS:
            return Side.CRM, Reason.CONFLICT_CRM_WINS
        case ConflictPolicy.GOOGLE_WINS:
            return Side.GOOGLE, Reason.CONFLICT_GOOGLE_WINS
        case ConflictPolicy.LAST_MODIFIED_WINS:
            return _later(edits)
        case ConflictPolicy.MANUAL:
            return None, Reason.CONFLICT_FLAGGED
        case _:  # pragma: no cover
            assert_never(policy)


def _later(edits: Edits) -> tuple[Side, Reason]:
    """Return the side edited last; the CRM where the times do not tell."""
    task_at, event_at = edits.task_changed_at, edits.event_changed_at
    if event_at is not None and (task_at is None or event_at > task_at):
        return Side.GOOGLE, Reason.CONFLICT_GOOGLE_LATER
    return Side.CRM, Reason.CONFLICT_CRM_LATER
