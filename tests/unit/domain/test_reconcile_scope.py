"""Tasks that leave the scope and come back; events that are on hold."""

import pytest

from shared.domain import mapping
from shared.domain.model import Baseline, Side
from shared.domain.reasons import Reason
from shared.domain.reconcile import Decision, Half, Presence, Write
from shared.domain.settings import Settings
from tests.unit.domain.deciding import (
    AGREED,
    ALL_POLICIES,
    BY_EVENT,
    BY_TASK,
    CRM_WINS,
    ENDED,
    GOOGLE_WINS,
    NOTHING,
    PURGED,
    TOMBSTONE,
    agreed,
    decide,
    deleted,
    live,
    situation,
    writes,
)

REASONS = [
    Reason.TYPE_SWITCHED_OFF,
    Reason.NO_DUE_DATE,
    Reason.ALL_DAY_SWITCHED_OFF,
    Reason.OWNER_NOT_CONNECTED,
]


# -- leaving ----------------------------------------------------------------------


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("event", [live(), live(BY_EVENT), live(ENDED)])
def test_a_task_that_leaves_the_scope_takes_the_event_that_we_made_with_it(
    reason: Reason, event: Half, settings: Settings
) -> None:
    found = situation(live(BY_TASK), event, out_of_scope=reason)

    decision = decide(found, settings)

    assert decision == Decision(reason=reason, detach=True, remove_event=True)


@pytest.mark.parametrize("reason", REASONS)
def test_a_task_that_leaves_the_scope_leaves_the_users_own_event(
    reason: Reason,
) -> None:
    found = situation(out_of_scope=reason, created_by=Side.GOOGLE)

    assert decide(found) == Decision(reason=reason, detach=True)


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize("baseline", [None, agreed()])
@pytest.mark.parametrize("created_by", Side)
def test_a_task_that_turns_out_to_have_no_date_is_not_one_that_is_over(
    created_by: Side, baseline: Baseline | None, settings: Settings
) -> None:
    undated = Half(presence=Presence.LIVE)
    found = situation(undated, live(BY_EVENT), baseline=baseline, created_by=created_by)

    decision = decide(found, settings)

    assert (decision.reason, decision.detach) == (Reason.NO_DUE_DATE, True)
    assert decision.remove_event == (created_by is Side.CRM)


@pytest.mark.parametrize("reason", REASONS)
def test_a_task_that_never_was_in_scope_is_left_alone(reason: Reason) -> None:
    found = situation(live(), NOTHING, baseline=None, out_of_scope=reason)

    assert decide(found) == Decision(reason=reason)


@pytest.mark.parametrize("created_by", Side)
@pytest.mark.parametrize("event", [live(), live(BY_EVENT), live(ENDED), PURGED])
def test_what_is_out_of_scope_is_left_alone(created_by: Side, event: Half) -> None:
    found = situation(
        live(BY_TASK),
        event,
        out_of_scope=Reason.TYPE_SWITCHED_OFF,
        detached=True,
        created_by=created_by,
    )

    assert decide(found) == Decision(reason=Reason.TYPE_SWITCHED_OFF)


# -- coming back ------------------------------------------------------------------


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize(
    ("event", "write"),
    [
        (live(ENDED), Write.REVIVE),
        (TOMBSTONE, Write.REVIVE),
        (PURGED, Write.CREATE),
    ],
)
def test_a_task_that_comes_back_brings_its_event_back(
    event: Half, write: Write, settings: Settings
) -> None:
    found = situation(live(BY_TASK), event, detached=True)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.BACK_IN_SCOPE, BY_TASK)
    assert writes(found, decision) == (Write.NOTHING, write)


def test_a_task_that_comes_into_scope_for_the_first_time_gets_an_event() -> None:
    found = situation(live(), NOTHING, baseline=None, detached=True)

    assert decide(found).reason is Reason.TASK_CREATED


@pytest.mark.parametrize("over", [live(ENDED), deleted(), PURGED])
def test_a_task_that_comes_back_cancelled_brings_nothing_back(over: Half) -> None:
    found = situation(over, live(ENDED), detached=True)

    decision = decide(found)

    assert (decision.reason, decision.target) == (Reason.SAME_EDIT, ENDED)
    assert writes(found, decision) == (Write.NOTHING, Write.NOTHING)


def test_an_event_that_is_restored_after_its_task_was_deleted_gets_a_new_one() -> None:
    removed = situation(deleted(), live(ENDED), detached=True)
    known = decide(removed).target
    assert known is not None
    restored = situation(deleted(), live(), baseline=agreed(known))

    decision = decide(restored)

    assert decision.reason is Reason.EVENT_RESTORED
    assert writes(restored, decision) == (Write.CREATE, Write.NOTHING)


@pytest.mark.parametrize("created_by", Side)
@pytest.mark.parametrize(
    ("task", "event", "reason"),
    [
        (live(), live(), Reason.UNCHANGED),
        (live(BY_TASK), live(), Reason.TASK_EDITED),
        (live(), live(BY_EVENT), Reason.EVENT_EDITED),
        (live(BY_TASK), live(BY_EVENT), Reason.CONFLICT_GOOGLE_WINS),
    ],
)
def test_an_event_that_was_left_is_compared_when_its_task_comes_back(
    created_by: Side, task: Half, event: Half, reason: Reason
) -> None:
    found = situation(task, event, detached=True, created_by=created_by)

    assert decide(found, GOOGLE_WINS).reason is reason


def test_the_users_own_event_that_was_deleted_meanwhile_ends_its_task() -> None:
    found = situation(live(), live(ENDED), detached=True, created_by=Side.GOOGLE)

    decision = decide(found)

    assert (decision.reason, decision.target) == (Reason.EVENT_CANCELLED, ENDED)


# -- on hold ----------------------------------------------------------------------


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize(
    "reason", [Reason.RECURRING_EVENT, Reason.ALL_DAY_SWITCHED_OFF]
)
@pytest.mark.parametrize("task", [live(), live(BY_TASK), deleted()])
def test_an_event_that_cannot_be_mapped_holds_both_sides(
    reason: Reason, task: Half, settings: Settings
) -> None:
    found = situation(task, live(BY_EVENT), on_hold=reason)

    assert decide(found, settings) == Decision(reason=reason)


@pytest.mark.parametrize(
    "over", [live(ENDED), live(mapping.cancelled(BY_EVENT)), PURGED]
)
def test_the_end_of_an_event_can_always_be_mapped(over: Half) -> None:
    found = situation(live(), over, on_hold=Reason.RECURRING_EVENT)

    decision = decide(found)

    assert decision.reason is Reason.EVENT_CANCELLED
    assert writes(found, decision) == (Write.CANCEL, Write.NOTHING)


def test_being_out_of_scope_comes_before_being_on_hold() -> None:
    found = situation(
        out_of_scope=Reason.TYPE_SWITCHED_OFF, on_hold=Reason.RECURRING_EVENT
    )

    assert decide(found, CRM_WINS).reason is Reason.TYPE_SWITCHED_OFF


def test_a_held_link_goes_on_where_it_stopped() -> None:
    found = situation(live(BY_TASK), live(AGREED))

    assert decide(found).reason is Reason.TASK_EDITED
