"""The decision table, row by row, for a link with a baseline."""

import pytest

from shared.domain import mapping
from shared.domain.model import Meeting
from shared.domain.reasons import Reason
from shared.domain.reconcile import Half, Situation, Write
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
from tests.unit.domain.records import meeting

DONE = (Write.NOTHING, Write.NOTHING)


@pytest.mark.parametrize("settings", ALL_POLICIES)
def test_nothing_is_done_where_both_sides_are_as_agreed(settings: Settings) -> None:
    found = situation()

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (Reason.UNCHANGED, AGREED)
    assert writes(found, decision) == DONE


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize(
    ("task", "known", "reason", "write"),
    [
        (live(BY_TASK), AGREED, Reason.TASK_EDITED, Write.UPDATE),
        (live(ENDED), AGREED, Reason.TASK_CANCELLED, Write.CANCEL),
        (deleted(), AGREED, Reason.TASK_DELETED, Write.CANCEL),
        (PURGED, AGREED, Reason.TASK_DELETED, Write.CANCEL),
        (live(AGREED), ENDED, Reason.TASK_REOPENED, Write.REVIVE),
        (live(BY_TASK), ENDED, Reason.TASK_REOPENED, Write.REVIVE),
    ],
)
def test_an_event_that_was_not_edited_follows_its_task(
    task: Half, known: Meeting, reason: Reason, write: Write, settings: Settings
) -> None:
    found = situation(task, live(known), baseline=agreed(known))

    decision = decide(found, settings)

    expected = ENDED if task is PURGED else task.meeting
    assert (decision.reason, decision.target) == (reason, expected)
    assert writes(found, decision) == (Write.NOTHING, write)


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize(
    ("event", "known", "reason", "write"),
    [
        (live(BY_EVENT), AGREED, Reason.EVENT_EDITED, Write.UPDATE),
        (live(ENDED), AGREED, Reason.EVENT_CANCELLED, Write.CANCEL),
        (TOMBSTONE, AGREED, Reason.EVENT_CANCELLED, Write.CANCEL),
        (PURGED, AGREED, Reason.EVENT_CANCELLED, Write.CANCEL),
        (live(AGREED), ENDED, Reason.EVENT_RESTORED, Write.REVIVE),
        (live(BY_EVENT), ENDED, Reason.EVENT_RESTORED, Write.REVIVE),
    ],
)
def test_a_task_that_was_not_edited_follows_its_event(
    event: Half, known: Meeting, reason: Reason, write: Write, settings: Settings
) -> None:
    found = situation(live(known), event, baseline=agreed(known))

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (reason, event.meeting or ENDED)
    assert writes(found, decision) == (write, Write.NOTHING)


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize(
    ("task", "event", "known"),
    [
        (live(BY_TASK), live(BY_TASK), AGREED),
        (live(ENDED), live(ENDED), AGREED),
        (deleted(), live(ENDED), AGREED),
        (deleted(), TOMBSTONE, AGREED),
        (PURGED, PURGED, AGREED),
        (live(ENDED), PURGED, AGREED),
        (live(AGREED), live(AGREED), ENDED),
    ],
)
def test_the_same_edit_on_both_sides_only_moves_the_baseline(
    task: Half, event: Half, known: Meeting, settings: Settings
) -> None:
    found = situation(task, event, baseline=agreed(known))

    decision = decide(found, settings)

    assert decision.reason is Reason.SAME_EDIT
    assert writes(found, decision) == DONE


@pytest.mark.parametrize("settings", ALL_POLICIES)
@pytest.mark.parametrize(
    ("task", "event"),
    [
        (live(ENDED), live(ENDED)),
        (deleted(), live(ENDED)),
        (deleted(), TOMBSTONE),
        (live(ENDED), TOMBSTONE),
        (live(ENDED), PURGED),
        (PURGED, live(ENDED)),
        (PURGED, PURGED),
        (live(mapping.cancelled(BY_TASK)), live(mapping.cancelled(BY_EVENT))),
    ],
)
def test_what_is_over_on_both_sides_stays_over(
    task: Half, event: Half, settings: Settings
) -> None:
    found = situation(task, event, baseline=agreed(ENDED))

    decision = decide(found, settings)

    assert decision.reason is Reason.UNCHANGED
    assert writes(found, decision) == DONE


def test_of_two_equal_sides_the_baseline_is_what_google_made_of_them() -> None:
    found = situation(live(meeting("🍽️")), live(meeting("🍽")), baseline=None)

    decision = decide(found)

    assert decision.target == meeting("🍽")
    assert writes(found, decision) == DONE


def test_a_task_that_comes_back_has_its_purged_event_made_anew() -> None:
    found = situation(live(BY_TASK), PURGED, baseline=agreed(ENDED))

    decision = decide(found)

    assert decision.reason is Reason.TASK_REOPENED
    assert writes(found, decision) == (Write.NOTHING, Write.CREATE)


@pytest.mark.parametrize("gone", [deleted(), PURGED])
def test_a_deleted_task_is_made_anew_when_its_event_is_restored(gone: Half) -> None:
    found = situation(gone, live(BY_EVENT), baseline=agreed(ENDED))

    decision = decide(found)

    assert (decision.reason, decision.target) == (Reason.EVENT_RESTORED, BY_EVENT)
    assert writes(found, decision) == (Write.CREATE, Write.NOTHING)


def test_a_record_that_is_gone_does_not_count_by_what_it_was() -> None:
    purged = Half(presence=PURGED.presence, meeting=AGREED)

    by_task = decide(situation(purged, live()))
    by_event = decide(situation(live(), purged))

    assert (by_task.reason, by_task.target) == (Reason.TASK_DELETED, ENDED)
    assert (by_event.reason, by_event.target) == (Reason.EVENT_CANCELLED, ENDED)


def test_two_records_that_nobody_remembers_leave_nothing_to_do() -> None:
    found = situation(PURGED, TOMBSTONE, baseline=None)

    decision = decide(found)

    assert (decision.reason, decision.target) == (Reason.NOTHING_TO_CANCEL, None)


def test_spelling_is_no_edit() -> None:
    respelled = meeting(" Lunch ", location="\u200b")

    decision = decide(situation(live(respelled), live(BY_EVENT)))

    assert decision.reason is Reason.EVENT_EDITED


def test_the_same_situation_leads_to_the_same_decision() -> None:
    found: list[Situation] = [
        situation(live(BY_TASK), live(BY_EVENT)) for _ in range(2)
    ]

    assert decide(found[0]) == decide(found[1])
