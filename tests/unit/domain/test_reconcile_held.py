"""Records that were deleted together with many others wait for an admin's word."""

import pytest

from shared.domain.reasons import Reason
from shared.domain.reconcile import Half, Hold, Write
from shared.domain.settings import Settings
from tests.unit.domain.deciding import (
    AGREED,
    ALL_POLICIES,
    BY_EVENT,
    BY_TASK,
    ENDED,
    PURGED,
    TOMBSTONE,
    decide,
    deleted,
    live,
    situation,
    writes,
)

EVERY_POLICY = pytest.mark.parametrize("settings", ALL_POLICIES)
GONE = pytest.mark.parametrize(
    ("task", "event"),
    [
        (deleted(), live()),
        (live(ENDED), live(BY_EVENT)),
        (live(), TOMBSTONE),
        (live(BY_TASK), live(ENDED)),
        (live(), PURGED),
    ],
)
"""One side is gone; the other is as it was, or was edited since."""


@EVERY_POLICY
@GONE
def test_until_then_nothing_is_written(
    task: Half, event: Half, settings: Settings
) -> None:
    decision = decide(situation(task, event, hold=Hold.WAITING), settings)

    assert (decision.reason, decision.target) == (Reason.MASS_DELETION, None)
    assert decision.contested == frozenset()


@EVERY_POLICY
@GONE
def test_a_deletion_that_is_rejected_is_undone_from_the_other_side(
    task: Half, event: Half, settings: Settings
) -> None:
    found = situation(task, event, hold=Hold.REJECTED)

    decision = decide(found, settings)

    assert decision.reason is Reason.DELETION_REJECTED
    assert decision.target is not None
    assert not decision.target.cancelled
    assert {Write.CREATE, Write.REVIVE} & set(writes(found, decision))


def test_a_deletion_that_is_approved_is_decided_on_like_any_other() -> None:
    found = situation(live(), TOMBSTONE, hold=Hold.APPROVED)

    assert decide(found) == decide(situation(live(), TOMBSTONE))


@pytest.mark.parametrize("hold", Hold)
def test_what_is_there_on_both_sides_is_held_no_more(hold: Hold) -> None:
    found = situation(live(), live(BY_EVENT), hold=hold)

    decision = decide(found)

    assert (decision.reason, decision.target) == (Reason.EVENT_EDITED, BY_EVENT)
    assert decide(situation(hold=hold)).target == AGREED
