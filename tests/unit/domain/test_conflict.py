"""The verdict on two edits of one meeting."""

from dataclasses import replace
from datetime import datetime

import pytest

from shared.domain import conflict, mapping
from shared.domain.conflict import Edits, Verdict
from shared.domain.model import Field, Meeting, Side
from shared.domain.reasons import Reason
from shared.domain.settings import ConflictPolicy, Settings
from tests.unit.domain.records import NOON, ONE, meeting, timed

KNOWN = meeting("Lunch")
POLICY = {
    policy: Settings(conflict_policy=policy, merge_disjoint_edits=True)
    for policy in ConflictPolicy
}


def edits(
    task: Meeting,
    event: Meeting,
    *,
    known: Meeting | None = KNOWN,
    task_at: datetime | None = NOON,
    event_at: datetime | None = ONE,
) -> Edits:
    """Return two edits; Google's is the later one unless told."""
    return Edits(
        known=known,
        task=task,
        event=event,
        task_changed_at=task_at,
        event_changed_at=event_at,
    )


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        (
            ConflictPolicy.CRM_WINS,
            Verdict(
                reason=Reason.CONFLICT_CRM_WINS,
                meeting=meeting("One", location="here", description="cake"),
            ),
        ),
        (
            ConflictPolicy.GOOGLE_WINS,
            Verdict(
                reason=Reason.CONFLICT_GOOGLE_WINS,
                meeting=meeting("Two", location="here", description="cake"),
            ),
        ),
        (
            ConflictPolicy.LAST_MODIFIED_WINS,
            Verdict(
                reason=Reason.CONFLICT_GOOGLE_LATER,
                meeting=meeting("Two", location="here", description="cake"),
            ),
        ),
        (
            ConflictPolicy.MANUAL,
            Verdict(reason=Reason.CONFLICT_FLAGGED, contested=frozenset({Field.TITLE})),
        ),
    ],
)
def test_each_policy_decides_on_what_is_contested(
    policy: ConflictPolicy, verdict: Verdict
) -> None:
    both = edits(meeting("One", location="here"), meeting("Two", description="cake"))

    assert conflict.settle(both, POLICY[policy]) == verdict


def test_a_field_that_both_edited_alike_is_not_contested() -> None:
    both = edits(
        meeting("Dinner", location="here"), meeting("Dinner", description="cake")
    )

    verdict = conflict.settle(both, POLICY[ConflictPolicy.MANUAL])

    assert verdict == Verdict(
        reason=Reason.MERGED,
        meeting=meeting("Dinner", location="here", description="cake"),
    )


@pytest.mark.parametrize(
    ("task", "event"),
    [
        (mapping.cancelled(KNOWN), meeting("Two")),
        (meeting("One"), mapping.cancelled(KNOWN)),
    ],
)
@pytest.mark.parametrize(
    "policy", [ConflictPolicy.CRM_WINS, ConflictPolicy.GOOGLE_WINS]
)
def test_the_end_of_a_meeting_is_decided_as_a_whole(
    policy: ConflictPolicy, task: Meeting, event: Meeting
) -> None:
    verdict = conflict.settle(edits(task, event), POLICY[policy])

    winner = task if policy is ConflictPolicy.CRM_WINS else event
    assert verdict.meeting == winner


def test_two_revivals_are_merged_like_two_edits() -> None:
    both = edits(
        meeting("Lunch", location="here"),
        meeting("Lunch", when=timed(ONE)),
        known=mapping.cancelled(KNOWN),
    )

    verdict = conflict.settle(both, POLICY[ConflictPolicy.CRM_WINS])

    assert verdict.meeting == meeting("Lunch", location="here", when=timed(ONE))


@pytest.mark.parametrize(
    "policy", [ConflictPolicy.CRM_WINS, ConflictPolicy.GOOGLE_WINS]
)
def test_what_was_never_agreed_cannot_be_merged(policy: ConflictPolicy) -> None:
    task, event = meeting("One"), meeting("One", location="here")

    verdict = conflict.settle(edits(task, event, known=None), POLICY[policy])

    winner = task if policy is ConflictPolicy.CRM_WINS else event
    assert verdict.meeting == winner


@pytest.mark.parametrize(
    ("task_at", "event_at", "winner"),
    [
        (ONE, NOON, "One"),
        (NOON, ONE, "Two"),
        (NOON, NOON, "One"),
        (NOON, None, "One"),
        (None, NOON, "Two"),
        (None, None, "One"),
    ],
)
def test_the_later_edit_wins_and_the_crm_where_the_times_do_not_tell(
    task_at: datetime | None, event_at: datetime | None, winner: str
) -> None:
    both = edits(meeting("One"), meeting("Two"), task_at=task_at, event_at=event_at)

    verdict = conflict.settle(both, POLICY[ConflictPolicy.LAST_MODIFIED_WINS])

    assert verdict.meeting == meeting(winner)


@pytest.mark.parametrize("policy", ConflictPolicy)
@pytest.mark.parametrize(("side", "title"), [(Side.CRM, "One"), (Side.GOOGLE, "Two")])
def test_what_a_user_chose_goes_before_every_policy(
    policy: ConflictPolicy, side: Side, title: str
) -> None:
    both = replace(
        edits(meeting("One"), meeting("Two")), choice=dict.fromkeys(Field, side)
    )

    verdict = conflict.settle(both, POLICY[policy])

    assert verdict.reason is Reason.CONFLICT_SETTLED
    assert verdict.meeting == meeting(title)


def test_a_field_that_the_choice_leaves_open_keeps_the_edit_that_it_has() -> None:
    task, event = meeting("One", location="here"), meeting("Two", description="cake")
    both = replace(edits(task, event), choice={Field.TITLE: Side.GOOGLE})

    verdict = conflict.settle(both, Settings())

    assert verdict.meeting == meeting("Two", location="here", description="cake")


def test_a_choice_between_two_that_never_agreed_takes_the_rest_from_the_task() -> None:
    task, event = meeting("One", location="here"), meeting("Two")
    both = replace(edits(task, event, known=None), choice={Field.TITLE: Side.GOOGLE})

    verdict = conflict.settle(both, Settings())

    assert verdict.meeting == meeting("Two", location="here")
