"""Comparing meetings is an equivalence, and storing them loses nothing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import mapping
from shared.domain.model import Baseline, Field, Meeting, Responses
from shared.domain.zones import same_zone
from tests.property.strategies import (
    guests_in_crm,
    meetings,
    responses,
    zones,
)

SPELLINGS = ("Lunch", " Lunch", "Lunch\u200b", "Lun\u00adch", "Dinner")
similar = st.builds(
    Meeting,
    title=st.sampled_from(SPELLINGS),
    when=meetings().map(lambda drawn: drawn.when),
    cancelled=st.booleans(),
)
alike = st.one_of(similar, meetings())


@given(alike)
def test_a_meeting_does_not_differ_from_itself(one: Meeting) -> None:
    assert mapping.changed_fields(one, one) == frozenset()


@given(alike, alike)
def test_a_difference_is_one_from_either_side(one: Meeting, other: Meeting) -> None:
    assert mapping.changed_fields(one, other) == mapping.changed_fields(other, one)


@given(
    st.lists(st.sampled_from(SPELLINGS), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    meetings(),
)
def test_what_is_equal_to_the_same_is_equal(
    titles: list[str], ends: list[bool], some: Meeting
) -> None:
    one, two, three = (
        Meeting(title=title, when=some.when, cancelled=end)
        for title, end in zip(titles, ends, strict=True)
    )

    if not mapping.changed_fields(one, two) and not mapping.changed_fields(two, three):
        assert not mapping.changed_fields(one, three)


@given(zones, zones, zones)
def test_zones_that_are_the_same_as_one_are_the_same(
    one: str, two: str, three: str
) -> None:
    if same_zone(one, two) and same_zone(two, three):
        assert same_zone(one, three)


@given(meetings(), meetings())
def test_taking_over_what_differs_leaves_no_difference(
    one: Meeting, other: Meeting
) -> None:
    differing = mapping.changed_fields(one, other)

    assert differing <= set(Field)
    assert bool(differing) is (one != other and bool(differing))


@given(meetings(), st.dictionaries(guests_in_crm.filter(bool).map(min), responses))
def test_what_is_stored_is_read_as_it_was(meeting: Meeting, answers: Responses) -> None:
    baseline = Baseline(meeting=meeting, responses=answers)

    document = json.loads(json.dumps(mapping.baseline_to_document(baseline)))

    assert mapping.baseline_from_document(document) == baseline
