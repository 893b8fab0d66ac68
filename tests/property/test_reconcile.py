"""A decision is made for every situation, always the same, and never twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import mapping
from shared.domain.conflict import Edits, settle
from shared.domain.model import Address, Baseline, Field, Meeting, Side, Timed
from shared.domain.reasons import Reason
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
from tests.property import strategies

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVE, FAY = (Address(f"{name}@guest.example") for name in ("eve", "fay"))

# Few values, so that two sides are often equal, or equal in some field.
meetings = st.builds(
    Meeting,
    title=st.sampled_from(("Lunch", " Lunch", "Dinner")),
    when=st.sampled_from(
        tuple(
            Timed(start=at, end=at + timedelta(hours=1), zone="Europe/Zurich")
            for at in (NOON, NOON + timedelta(days=1))
        )
    ),
    location=st.sampled_from(("", "here")),
    attendees=st.sampled_from((frozenset(), frozenset({EVE}))),
    cancelled=st.booleans(),
)
answers = st.dictionaries(st.sampled_from((EVE, FAY)), strategies.responses)
halves = st.builds(
    Half,
    presence=st.sampled_from(Presence),
    meeting=st.none() | meetings,
    changed_at=st.sampled_from((None, NOON, NOON + timedelta(hours=1))),
)
baselines = st.builds(Baseline, meeting=meetings, responses=answers)
any_situations = st.builds(
    Situation,
    task=halves,
    event=halves,
    baseline=st.none() | baselines,
    responses=answers,
    created_by=st.sampled_from(Side),
    detached=st.booleans(),
    out_of_scope=st.sampled_from((None, None, None, Reason.TYPE_SWITCHED_OFF)),
    not_imported=st.sampled_from((None, None, None, Reason.PRIVATE_EVENT)),
    on_hold=st.sampled_from((None, None, None, Reason.RECURRING_EVENT)),
    read_only=st.sampled_from((False, False, False, True)),
)


def declined(found: Situation) -> Situation:
    """Return the situation after the user declined the event."""
    meeting = found.event.meeting and mapping.cancelled(found.event.meeting)
    event = replace(found.event, presence=Presence.LIVE, meeting=meeting)
    return replace(found, declined=True, event=event)


situations = st.one_of(any_situations, any_situations, any_situations.map(declined))
settings = strategies.all_settings


def carried_out(found: Situation, decision: Decision) -> Situation:
    """Return the situation after everything that was decided was done."""
    found = replace(found, detached=found.detached or decision.detach)
    event = found.event.meeting
    if decision.remove_event and event is not None:
        gone = replace(found.event, meeting=mapping.cancelled(event))
        found = replace(found, event=gone)
    target = decision.target
    if target is None:
        return found
    reached = Half(presence=Presence.LIVE, meeting=target)
    is_task_written = task_write(found, target) is not Write.NOTHING
    is_event_written = event_write(found, target) is not Write.NOTHING
    return replace(
        found,
        task=reached if is_task_written else found.task,
        event=reached if is_event_written else found.event,
        baseline=Baseline(meeting=target, responses=decision.responses),
        detached=False,
    )


@given(situations, settings)
def test_every_situation_is_decided_and_always_alike(
    found: Situation, settings: Settings
) -> None:
    decision = reconcile(found, settings)

    assert isinstance(decision.reason, Reason)
    assert reconcile(replace(found), replace(settings)) == decision


@given(situations, settings)
def test_nothing_is_left_to_do_after_what_was_decided(
    found: Situation, settings: Settings
) -> None:
    after = carried_out(found, reconcile(found, settings))

    again = reconcile(after, settings)

    assert not again.detach or again.reason is Reason.READ_ONLY_EVENT
    assert not again.remove_event
    if again.target is not None:
        assert task_write(after, again.target) is Write.NOTHING
        assert event_write(after, again.target) is Write.NOTHING


@given(situations, settings)
def test_a_decision_is_of_one_kind(found: Situation, settings: Settings) -> None:
    decision = reconcile(found, settings)

    kinds = (decision.target is not None, bool(decision.contested), decision.detach)
    assert sum(kinds) <= 1
    assert decision.detach or not decision.remove_event
    assert bool(decision.contested) is (decision.reason is Reason.CONFLICT_FLAGGED)


@given(situations, settings)
def test_only_the_manual_policy_leaves_a_conflict(
    found: Situation, settings: Settings
) -> None:
    decision = reconcile(found, settings)

    if decision.contested:
        assert settings.conflict_policy is ConflictPolicy.MANUAL


@given(situations, settings)
def test_an_event_that_may_not_be_written_is_not_written(
    found: Situation, settings: Settings
) -> None:
    found = replace(found, read_only=True, event=replace(found.event))

    decision = reconcile(found, settings)

    assert not decision.remove_event
    if decision.target is not None and found.event.presence is Presence.LIVE:
        assert event_write(found, decision.target) is Write.NOTHING


@given(situations, settings)
def test_answers_alone_never_change_what_is_decided(
    found: Situation, settings: Settings
) -> None:
    silent = replace(found, responses={})

    heard, unheard = reconcile(found, settings), reconcile(silent, settings)

    assert (heard.target, heard.contested) == (unheard.target, unheard.contested)


@given(meetings, meetings, meetings, st.sampled_from(ConflictPolicy))
def test_merging_loses_no_edit_that_only_one_side_made(
    known: Meeting, task: Meeting, event: Meeting, policy: ConflictPolicy
) -> None:
    known, task, event = (replace(m, cancelled=False) for m in (known, task, event))
    both = Edits(
        known=known,
        task=task,
        event=event,
        task_changed_at=NOON,
        event_changed_at=None,
    )
    by_task = mapping.changed_fields(known, task)
    by_event = mapping.changed_fields(known, event)

    verdict = settle(both, Settings(conflict_policy=policy, merge_disjoint_edits=True))

    if verdict.meeting is None:
        assert verdict.contested <= by_task & by_event
        return
    assert not mapping.changed_fields(verdict.meeting, task) & (by_task - by_event)
    assert not mapping.changed_fields(verdict.meeting, event) & (by_event - by_task)
    untouched = frozenset(Field) - by_task - by_event
    assert not mapping.changed_fields(verdict.meeting, known) & untouched
