"""A task or an event that meets its counterpart for the first time."""

import pytest

from shared.domain import mapping
from shared.domain.model import Baseline, Side
from shared.domain.reasons import Reason
from shared.domain.reconcile import Half, Presence, Situation, Write
from shared.domain.settings import Settings
from tests.unit.domain.deciding import (
    AGREED,
    ALL_POLICIES,
    BY_EVENT,
    ENDED,
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

WENT = Half(presence=Presence.GONE, meeting=AGREED)
"""A record that went away after it was read."""


def alone(task: Half = NOTHING, event: Half = NOTHING, **known: object) -> Situation:
    """Return what has no link yet."""
    return situation(task, event, **{"baseline": None, **known})


@pytest.mark.parametrize("settings", ALL_POLICIES)
def test_a_task_gets_an_event(settings: Settings) -> None:
    found = alone(task=live())

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.TASK_CREATED, AGREED)
    assert writes(found, decision) == (Write.NOTHING, Write.CREATE)


@pytest.mark.parametrize("settings", ALL_POLICIES)
def test_an_event_gets_a_task(settings: Settings) -> None:
    found = alone(event=live(), created_by=Side.GOOGLE)

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.EVENT_CREATED, AGREED)
    assert writes(found, decision) == (Write.CREATE, Write.NOTHING)


@pytest.mark.parametrize("over", [live(ENDED), deleted(), PURGED, WENT])
def test_a_task_that_is_over_gets_no_event(over: Half) -> None:
    decision = decide(alone(task=over))

    assert (decision.reason, decision.target) == (Reason.NOTHING_TO_CANCEL, None)


@pytest.mark.parametrize("over", [live(ENDED), TOMBSTONE, PURGED, WENT, NOTHING])
def test_an_event_that_is_over_gets_no_task(over: Half) -> None:
    decision = decide(alone(event=over, created_by=Side.GOOGLE))

    assert (decision.reason, decision.target) == (Reason.NOTHING_TO_CANCEL, None)


def test_an_event_that_ends_while_its_task_is_being_made_gets_none() -> None:
    decision = decide(alone(event=TOMBSTONE, baseline=agreed(AGREED)))

    assert (decision.reason, decision.target) == (Reason.NOTHING_TO_CANCEL, None)


def test_an_event_that_is_edited_while_its_task_is_being_made_counts_as_it_is() -> None:
    found = alone(event=live(BY_EVENT), baseline=agreed(AGREED))

    assert decide(found).target == BY_EVENT


@pytest.mark.parametrize(
    "reason",
    [
        Reason.IMPORT_SWITCHED_OFF,
        Reason.PRIVATE_EVENT,
        Reason.RECURRING_EVENT,
        Reason.EVENT_TYPE,
        Reason.DECLINED,
        Reason.ALL_DAY_SWITCHED_OFF,
        Reason.ANOTHER_COPY_LEADS,
    ],
)
def test_an_event_that_is_not_to_be_imported_gets_no_task(reason: Reason) -> None:
    decision = decide(alone(event=live(), not_imported=reason))

    assert (decision.reason, decision.target) == (reason, None)


def test_an_event_that_cannot_be_mapped_gets_no_task() -> None:
    decision = decide(alone(event=live(), on_hold=Reason.RECURRING_EVENT))

    assert (decision.reason, decision.target) == (Reason.RECURRING_EVENT, None)


@pytest.mark.parametrize("settings", ALL_POLICIES)
def test_a_task_and_an_event_that_are_equal_are_linked(settings: Settings) -> None:
    found = alone(task=live(), event=live())

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.ADOPTED, AGREED)
    assert writes(found, decision) == (Write.NOTHING, Write.NOTHING)


def test_a_task_whose_event_was_made_but_never_confirmed_finds_it() -> None:
    reserved = Baseline(meeting=AGREED)

    found = situation(live(), live(), baseline=reserved)

    assert decide(found).reason is Reason.UNCHANGED


def test_the_answers_of_guests_come_with_the_first_import() -> None:
    answers = mapping.baseline_from_document(
        {
            "meeting": mapping.meeting_to_document(AGREED),
            "responses": {"eve@guest.example": "accepted"},
        }
    ).responses

    decision = decide(alone(event=live(), responses=answers))

    assert decision.responses == answers
