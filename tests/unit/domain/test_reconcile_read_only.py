"""Events that their calendar's user may not edit."""

import pytest

from shared.domain.model import Meeting, Side
from shared.domain.reasons import Reason
from shared.domain.reconcile import ABSENT, Decision, Half, Situation, Write
from shared.domain.settings import Settings
from tests.unit.domain.deciding import (
    AGREED,
    ALL_POLICIES,
    BY_EVENT,
    BY_TASK,
    ENDED,
    PURGED,
    TOMBSTONE,
    agreed,
    decide,
    deleted,
    live,
    situation,
    writes,
)

EVERY_POLICY = pytest.mark.parametrize("settings", ALL_POLICIES)


def read_only(task: Half, event: Half, known: Meeting | None = AGREED) -> Situation:
    """Return the situation of an event that somebody else organizes."""
    baseline = agreed(known) if known else None
    return situation(
        task, event, baseline=baseline, read_only=True, created_by=Side.GOOGLE
    )


@EVERY_POLICY
@pytest.mark.parametrize(
    ("task", "write"),
    [(live(BY_TASK), Write.UPDATE), (live(ENDED), Write.REVIVE)],
)
@pytest.mark.parametrize("event", [live(AGREED), live(BY_EVENT)])
def test_a_task_is_set_back_to_what_google_has(
    task: Half, write: Write, event: Half, settings: Settings
) -> None:
    found = read_only(task, event)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (
        Reason.READ_ONLY_EVENT,
        event.meeting,
    )
    assert writes(found, decision) == (write, Write.NOTHING)


@EVERY_POLICY
@pytest.mark.parametrize(
    ("event", "known", "reason", "write"),
    [
        (live(BY_EVENT), AGREED, Reason.EVENT_EDITED, Write.UPDATE),
        (live(ENDED), AGREED, Reason.EVENT_CANCELLED, Write.CANCEL),
        (TOMBSTONE, AGREED, Reason.EVENT_CANCELLED, Write.CANCEL),
        (PURGED, AGREED, Reason.EVENT_CANCELLED, Write.CANCEL),
        (live(AGREED), ENDED, Reason.EVENT_RESTORED, Write.REVIVE),
    ],
)
def test_a_task_that_was_not_edited_follows_as_ever(
    event: Half, known: Meeting, reason: Reason, write: Write, settings: Settings
) -> None:
    found = read_only(live(known), event, known)

    decision = decide(found, settings)

    assert decision.reason is reason
    assert writes(found, decision) == (write, Write.NOTHING)


@EVERY_POLICY
@pytest.mark.parametrize("gone", [deleted(), PURGED])
def test_a_deleted_task_stays_deleted_and_its_event_stays(
    gone: Half, settings: Settings
) -> None:
    decision = decide(read_only(gone, live()), settings)

    assert decision == Decision(reason=Reason.READ_ONLY_EVENT, detach=True)


@EVERY_POLICY
@pytest.mark.parametrize("gone", [deleted(), PURGED])
def test_an_event_that_is_restored_gets_a_new_task_if_the_old_one_was_over(
    gone: Half, settings: Settings
) -> None:
    found = read_only(gone, live(), ENDED)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.EVENT_RESTORED, AGREED)
    assert writes(found, decision) == (Write.CREATE, Write.NOTHING)


@EVERY_POLICY
@pytest.mark.parametrize("event", [TOMBSTONE, PURGED])
def test_an_edited_task_of_an_event_that_ended_is_cancelled(
    event: Half, settings: Settings
) -> None:
    found = read_only(live(BY_TASK), event)

    decision = decide(found, settings)

    assert decision.reason is Reason.READ_ONLY_EVENT
    assert writes(found, decision) == (Write.CANCEL, Write.NOTHING)


def test_an_event_of_ours_that_may_no_longer_be_written_stays() -> None:
    found = situation(read_only=True, out_of_scope=Reason.TYPE_SWITCHED_OFF)

    decision = decide(found)

    assert decision == Decision(reason=Reason.TYPE_SWITCHED_OFF, detach=True)


def test_an_event_that_may_no_longer_be_written_is_not_brought_back() -> None:
    found = situation(live(), live(ENDED), detached=True, read_only=True)

    assert decide(found) == Decision(reason=Reason.READ_ONLY_EVENT)


def test_both_sides_may_be_equal_all_the_same() -> None:
    assert decide(read_only(live(), live())).reason is Reason.UNCHANGED


@EVERY_POLICY
def test_google_is_right_where_nothing_was_ever_agreed(settings: Settings) -> None:
    found = read_only(live(BY_TASK), live(BY_EVENT), None)

    decision = decide(found, settings)

    assert decision.target == BY_EVENT
    assert writes(found, decision) == (Write.UPDATE, Write.NOTHING)


def test_no_event_is_made_in_a_calendar_that_may_not_be_written() -> None:
    found = situation(event=ABSENT, baseline=None, read_only=True)

    assert decide(found) == Decision(reason=Reason.READ_ONLY_EVENT)
