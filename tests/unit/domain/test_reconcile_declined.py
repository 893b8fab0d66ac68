"""Events that the only connected user declined: they count as cancelled."""

import pytest

from shared.domain.model import Side
from shared.domain.reasons import Reason
from shared.domain.reconcile import Decision, Half, Write
from shared.domain.settings import Settings
from tests.unit.domain.deciding import (
    AGREED,
    ALL_POLICIES,
    BY_EVENT,
    BY_TASK,
    ENDED,
    agreed,
    decide,
    deleted,
    live,
    situation,
    writes,
)

DECLINED = live(ENDED)
"""The event's half, while its user does not come."""
EVERY_POLICY = pytest.mark.parametrize("settings", ALL_POLICIES)


@EVERY_POLICY
def test_a_task_is_cancelled_when_its_event_is_declined(settings: Settings) -> None:
    found = situation(live(), DECLINED, declined=True)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.DECLINED, ENDED)
    assert writes(found, decision) == (Write.CANCEL, Write.NOTHING)


@EVERY_POLICY
def test_an_edit_of_the_task_takes_no_decline_back(settings: Settings) -> None:
    found = situation(live(BY_TASK), DECLINED, declined=True)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.READ_ONLY_EVENT, ENDED)
    assert writes(found, decision) == (Write.CANCEL, Write.NOTHING)


@EVERY_POLICY
def test_a_task_that_is_reopened_is_cancelled_again(settings: Settings) -> None:
    found = situation(live(), DECLINED, baseline=agreed(ENDED), declined=True)

    decision = decide(found, settings)

    assert decision.reason is Reason.READ_ONLY_EVENT
    assert writes(found, decision) == (Write.CANCEL, Write.NOTHING)


@EVERY_POLICY
def test_a_task_that_was_deleted_too_is_left_alone(settings: Settings) -> None:
    found = situation(deleted(), DECLINED, declined=True)

    decision = decide(found, settings)

    assert decision.reason is Reason.SAME_EDIT
    assert writes(found, decision) == (Write.NOTHING, Write.NOTHING)


@EVERY_POLICY
def test_nothing_more_is_done_while_the_event_stays_declined(
    settings: Settings,
) -> None:
    found = situation(live(ENDED), DECLINED, baseline=agreed(ENDED), declined=True)

    decision = decide(found, settings)

    assert decision.reason is Reason.UNCHANGED
    assert writes(found, decision) == (Write.NOTHING, Write.NOTHING)


@EVERY_POLICY
@pytest.mark.parametrize(
    ("task", "write"), [(live(ENDED), Write.REVIVE), (deleted(), Write.CREATE)]
)
def test_a_task_comes_back_when_its_event_is_accepted_after_all(
    task: Half, write: Write, settings: Settings
) -> None:
    found = situation(task, live(BY_EVENT), baseline=agreed(ENDED))

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.EVENT_RESTORED, BY_EVENT)
    assert writes(found, decision) == (write, Write.NOTHING)


def test_a_task_that_comes_into_scope_again_takes_no_decline_back() -> None:
    found = situation(live(), DECLINED, declined=True, detached=True)

    assert decide(found) == Decision(reason=Reason.DECLINED)


@pytest.mark.parametrize("created_by", Side)
def test_a_task_that_leaves_the_scope_takes_its_declined_event_with_it(
    created_by: Side,
) -> None:
    found = situation(
        live(AGREED),
        DECLINED,
        declined=True,
        created_by=created_by,
        out_of_scope=Reason.TYPE_SWITCHED_OFF,
    )

    decision = decide(found)

    assert decision.detach
    assert decision.remove_event is (created_by is Side.CRM)
