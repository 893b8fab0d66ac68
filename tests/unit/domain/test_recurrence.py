"""What becomes of an occurrence when its series is changed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import recurrence
from shared.domain.model import AllDay, Event, EventId, EventStatus, Timed

ZURICH = "Europe/Zurich"
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def occurrence(series: str, start: datetime, *, original: str | None = None) -> Event:
    """Return an occurrence that its series has at `start`, unless told another."""
    return Event(
        id=EventId(f"{series}_{start:%Y%m%dT%H%M%SZ}"),
        etag='"1"',
        status=EventStatus.CONFIRMED,
        when=Timed(start=start, end=start + timedelta(hours=1), zone=ZURICH),
        recurring_event_id=series,
        original_start=original or start.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def series(event_id: str, **fields: Any) -> Event:  # noqa: ANN401 - any field
    """Return a series."""
    event = {"etag": '"1"', "status": EventStatus.CONFIRMED, "when": None, **fields}
    return Event(id=EventId(event_id), recurrence=("RRULE:FREQ=DAILY",), **event)


def mondays(name: str, first: datetime, count: int = 4) -> list[Event]:
    """Return weekly occurrences that keep their wall time."""
    return [
        occurrence(name, first + timedelta(weeks=number)) for number in range(count)
    ]


@pytest.mark.parametrize(
    ("new", "old", "follows"),
    [
        (series("abc_R20260317T090000"), series("abc"), True),
        (series("abc_R20260401T090000"), series("abc_R20260317T090000"), True),
        (series("xyz", created_at=MADE), series("abc", created_at=MADE), True),
        (series("xyz"), series("abc"), False),
        (series("xyz", created_at=MADE), series("abc"), False),
        (series("abc"), series("abc"), False),
        (series("abcd_R20260317T090000"), series("abc"), False),
    ],
)
def test_a_series_follows_another_by_its_id_or_its_age(
    new: Event,
    old: Event,
    follows: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert recurrence.continues(new, old) is follows


def test_an_occurrence_that_was_moved_is_still_planned_where_its_series_has_it() -> (
    None
):
    moved = occurrence(
        "abc", datetime(2026, 3, 5, 14, tzinfo=UTC), original="2026-03-03T09:00:00Z"
    )

    assert recurrence.planned_start(moved) == datetime(2026, 3, 3, 10)  # noqa: DTZ001 - wall time


def test_a_single_event_is_planned_where_it_is() -> None:
    single = Event(
        id=EventId("abc"),
        etag="",
        status=EventStatus.CONFIRMED,
        when=Timed(
            start=datetime(2026, 3, 3, 9, tzinfo=UTC),
            end=datetime(2026, 3, 3, 10, tzinfo=UTC),
            zone=ZURICH,
        ),
    )

    assert recurrence.planned_start(single) == datetime(2026, 3, 3, 10)  # noqa: DTZ001 - wall time


@pytest.mark.parametrize("original", [None, "2026-03-03"])
def test_whole_days_are_planned_from_midnight(original: str | None) -> None:
    days = Event(
        id=EventId("abc_20260303"),
        etag="",
        status=EventStatus.CONFIRMED,
        when=AllDay(first_on=date(2026, 3, 3), until_on=date(2026, 3, 4)),
        original_start=original,
    )

    assert recurrence.planned_start(days) == datetime(2026, 3, 3)  # noqa: DTZ001 - wall time


def test_a_bare_row_without_any_time_has_no_plan() -> None:
    with pytest.raises(LookupError, match="abc"):
        recurrence.planned_start(series("abc"))


def test_nothing_follows_where_nothing_was_lost_or_found() -> None:
    some = mondays("abc", datetime(2026, 3, 2, 9, tzinfo=UTC))

    assert recurrence.followers([], some) == {}
    assert recurrence.followers(some, []) == {}


def test_an_occurrence_without_a_counterpart_is_left_out() -> None:
    weekly = mondays("abc", datetime(2026, 3, 2, 9, tzinfo=UTC))
    fortnightly = [weekly[0], weekly[2]]
    starts = [one.starts_at for one in fortnightly]
    new = [occurrence("new", start) for start in starts if start]

    pairs = recurrence.followers(weekly, new)

    assert pairs == {old.id: one.id for old, one in zip(fortnightly, new, strict=True)}


def test_the_wall_clock_counts_where_the_clocks_change() -> None:
    before, after = "2026-03-23T08:00:00+00:00", "2026-03-30T07:00:00+00:00"
    old = [occurrence("abc", datetime.fromisoformat(text)) for text in (before, after)]
    hour = timedelta(hours=1)
    new = [
        occurrence("new", datetime.fromisoformat(text) + hour)
        for text in (before, after)
    ]

    pairs = recurrence.followers(old, new)

    assert pairs == {one.id: other.id for one, other in zip(old, new, strict=True)}


@given(
    shift=st.integers(min_value=-3 * 24 * 60, max_value=3 * 24 * 60),
    count=st.integers(min_value=1, max_value=8),
)
def test_a_weekly_series_that_moves_by_less_than_half_a_week_keeps_its_order(
    shift: int, count: int
) -> None:
    # In winter only: the clocks do not change meanwhile.
    first = datetime(2026, 1, 5, 9, tzinfo=UTC)
    old = mondays("abc", first, count)
    new = mondays("new", first + timedelta(minutes=shift), count)

    pairs = recurrence.followers(old, new)

    assert _in_order(pairs.values()) == [event.id for event in new]
    assert list(pairs) == [event.id for event in old]


def _in_order(ids: Any) -> Sequence[str]:  # noqa: ANN401 - a view
    return sorted(ids)
