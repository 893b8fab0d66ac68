"""Both sides were edited: what the policies make of the whole situation."""

from datetime import datetime

import pytest

from shared.domain.model import Field
from shared.domain.reasons import Reason
from shared.domain.reconcile import Half, Write
from shared.domain.settings import ConflictPolicy, Settings
from tests.unit.domain.deciding import (
    AGREED,
    BY_EVENT,
    BY_TASK,
    CRM_WINS,
    ENDED,
    GOOGLE_WINS,
    LATER_WINS,
    MANUAL,
    PURGED,
    TOMBSTONE,
    agreed,
    decide,
    deleted,
    live,
    situation,
    writes,
)
from tests.unit.domain.records import EVE, FAY, NOON, ONE, meeting, timed

# -- edit against edit ------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "task_at", "event_at", "reason"),
    [
        (CRM_WINS, NOON, ONE, Reason.CONFLICT_CRM_WINS),
        (LATER_WINS, ONE, NOON, Reason.CONFLICT_CRM_LATER),
        (LATER_WINS, NOON, NOON, Reason.CONFLICT_CRM_LATER),
        (LATER_WINS, NOON, None, Reason.CONFLICT_CRM_LATER),
        (LATER_WINS, None, None, Reason.CONFLICT_CRM_LATER),
    ],
)
def test_where_the_crm_wins_the_event_is_written(
    settings: Settings,
    task_at: datetime | None,
    event_at: datetime | None,
    reason: Reason,
) -> None:
    found = situation(live(BY_TASK, task_at), live(BY_EVENT, event_at))

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (reason, BY_TASK)
    assert writes(found, decision) == (Write.NOTHING, Write.UPDATE)


@pytest.mark.parametrize(
    ("settings", "task_at", "event_at", "reason"),
    [
        (GOOGLE_WINS, ONE, NOON, Reason.CONFLICT_GOOGLE_WINS),
        (LATER_WINS, NOON, ONE, Reason.CONFLICT_GOOGLE_LATER),
        (LATER_WINS, None, NOON, Reason.CONFLICT_GOOGLE_LATER),
    ],
)
def test_where_google_wins_the_task_is_written(
    settings: Settings,
    task_at: datetime | None,
    event_at: datetime | None,
    reason: Reason,
) -> None:
    found = situation(live(BY_TASK, task_at), live(BY_EVENT, event_at))

    decision = decide(found, settings)

    assert (decision.reason, decision.target) == (reason, BY_EVENT)
    assert writes(found, decision) == (Write.UPDATE, Write.NOTHING)


def test_under_manual_both_sides_stay_until_a_user_chooses() -> None:
    found = situation(
        live(meeting("One", location="here")), live(meeting("Two", when=timed(ONE)))
    )

    decision = decide(found, MANUAL)

    assert (decision.reason, decision.target) == (Reason.CONFLICT_FLAGGED, None)
    assert decision.contested == {Field.TITLE, Field.LOCATION, Field.WHEN}


def test_a_flagged_conflict_ends_when_one_side_takes_its_edit_back() -> None:
    found = situation(live(AGREED), live(BY_EVENT))

    decision = decide(found, MANUAL)

    assert (decision.reason, decision.target) == (Reason.EVENT_EDITED, BY_EVENT)


# -- the end of a meeting against an edit of it -----------------------------------


@pytest.mark.parametrize("gone", [live(ENDED), deleted(), PURGED])
def test_where_the_crm_wins_the_end_of_a_task_ends_an_edited_event(gone: Half) -> None:
    found = situation(gone, live(BY_EVENT))

    decision = decide(found, CRM_WINS)

    assert decision.reason is Reason.CONFLICT_CRM_WINS
    assert writes(found, decision) == (Write.NOTHING, Write.CANCEL)


@pytest.mark.parametrize(
    ("gone", "write"),
    [(live(ENDED), Write.REVIVE), (deleted(), Write.CREATE), (PURGED, Write.CREATE)],
)
def test_where_google_wins_an_edited_event_brings_its_task_back(
    gone: Half, write: Write
) -> None:
    found = situation(gone, live(BY_EVENT))

    decision = decide(found, GOOGLE_WINS)

    assert (decision.reason, decision.target) == (
        Reason.CONFLICT_GOOGLE_WINS,
        BY_EVENT,
    )
    assert writes(found, decision) == (write, Write.NOTHING)


@pytest.mark.parametrize(
    ("gone", "write"),
    [(live(ENDED), Write.REVIVE), (TOMBSTONE, Write.REVIVE), (PURGED, Write.CREATE)],
)
def test_where_the_crm_wins_an_edited_task_brings_its_event_back(
    gone: Half, write: Write
) -> None:
    found = situation(live(BY_TASK), gone)

    decision = decide(found, CRM_WINS)

    assert (decision.reason, decision.target) == (Reason.CONFLICT_CRM_WINS, BY_TASK)
    assert writes(found, decision) == (Write.NOTHING, write)


@pytest.mark.parametrize("gone", [live(ENDED), TOMBSTONE, PURGED])
def test_where_google_wins_the_end_of_an_event_ends_an_edited_task(gone: Half) -> None:
    found = situation(live(BY_TASK), gone)

    decision = decide(found, GOOGLE_WINS)

    assert decision.reason is Reason.CONFLICT_GOOGLE_WINS
    assert writes(found, decision) == (Write.CANCEL, Write.NOTHING)


@pytest.mark.parametrize(
    ("task_at", "event_at", "reason"),
    [
        (ONE, NOON, Reason.CONFLICT_CRM_LATER),
        (NOON, ONE, Reason.CONFLICT_GOOGLE_LATER),
    ],
)
def test_the_later_of_a_deletion_and_an_edit_wins(
    task_at: datetime, event_at: datetime, reason: Reason
) -> None:
    found = situation(
        deleted(changed_at=task_at),
        live(BY_EVENT, event_at),
    )

    assert decide(found, LATER_WINS).reason is reason


@pytest.mark.parametrize("gone", [live(ENDED), deleted(), PURGED])
def test_under_manual_a_user_chooses_between_the_end_and_the_edit(gone: Half) -> None:
    decision = decide(situation(gone, live(BY_EVENT)), MANUAL)

    assert (decision.reason, decision.target) == (Reason.CONFLICT_FLAGGED, None)
    assert decision.contested == {Field.CANCELLED, Field.TITLE}


# -- without a baseline -----------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "target"), [(CRM_WINS, BY_TASK), (GOOGLE_WINS, BY_EVENT)]
)
def test_the_policy_decides_where_nothing_was_ever_agreed(
    settings: Settings, target: object
) -> None:
    found = situation(live(BY_TASK), live(BY_EVENT), baseline=None)

    assert decide(found, settings).target == target


@pytest.mark.parametrize("settings", [MANUAL, CRM_WINS])
def test_the_end_of_an_event_counts_where_nothing_was_ever_agreed(
    settings: Settings,
) -> None:
    found = situation(live(BY_TASK), TOMBSTONE, baseline=None)

    decision = decide(found, settings)

    if settings is MANUAL:
        assert decision.contested == {Field.CANCELLED}
    else:
        assert writes(found, decision) == (Write.NOTHING, Write.REVIVE)


# -- edits of different fields ----------------------------------------------------

MERGING = [
    Settings(conflict_policy=policy, merge_disjoint_edits=True)
    for policy in ConflictPolicy
]


@pytest.mark.parametrize("settings", MERGING)
def test_edits_of_different_fields_survive_both(settings: Settings) -> None:
    found = situation(
        live(meeting("Lunch", location="here")), live(meeting("Lunch", when=timed(ONE)))
    )

    decision = decide(found, settings)

    assert decision.reason is Reason.MERGED
    assert decision.target == meeting("Lunch", location="here", when=timed(ONE))
    assert writes(found, decision) == (Write.UPDATE, Write.UPDATE)


@pytest.mark.parametrize(
    ("settings", "title"), [(MERGING[0], "One"), (MERGING[1], "Two")]
)
def test_the_policy_decides_only_on_fields_that_both_sides_edited(
    settings: Settings, title: str
) -> None:
    found = situation(
        live(meeting("One", location="here")), live(meeting("Two", when=timed(ONE)))
    )

    decision = decide(found, settings)

    assert decision.target == meeting(title, location="here", when=timed(ONE))


def test_without_the_setting_the_policy_decides_on_the_whole_record() -> None:
    found = situation(
        live(meeting("Lunch", location="here")), live(meeting("Lunch", when=timed(ONE)))
    )

    decision = decide(found, GOOGLE_WINS)

    assert decision.target == meeting("Lunch", when=timed(ONE))


def test_guests_of_both_sides_are_one_field() -> None:
    found = situation(
        live(meeting(attendees=frozenset({EVE}))),
        live(meeting(attendees=frozenset({FAY}))),
        baseline=agreed(meeting()),
    )

    decision = decide(found, MERGING[3])

    assert decision.contested == {Field.ATTENDEES}
