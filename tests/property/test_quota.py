"""No minute has more than the quota, and bulk work always leaves room for people."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.quota import Lane, Quota

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LANES = st.sampled_from(Lane)
PAUSES = st.one_of(
    st.just(timedelta()), st.timedeltas(timedelta(), timedelta(seconds=90))
)


@given(
    st.sampled_from([60, 600, 10_000]),
    st.lists(
        st.tuples(PAUSES, st.integers(1, 40), st.integers(1, 3), LANES), max_size=40
    ),
)
def test_no_sixty_seconds_have_more_than_the_quota(
    per_minute: int, wishes: list[tuple[timedelta, int, int, Lane]]
) -> None:
    quota, now, spent = Quota(per_minute=per_minute), START, None
    granted: list[tuple[datetime, int]] = []
    for pause, times, units, lane in wishes:
        now += pause
        for _ in range(times):
            answer = quota.spend(spent, units, lane, now)
            if isinstance(answer, datetime):
                spent = answer
                granted.append((now, units))
    for first, _ in granted:
        inside = [u for at, u in granted if first <= at < first + MINUTE]
        assert sum(inside) <= per_minute


@given(st.lists(PAUSES, max_size=60))
def test_whoever_waits_finds_room_behind_any_amount_of_bulk_work(
    pauses: list[timedelta],
) -> None:
    quota, now, spent = Quota(per_minute=600), START, None
    for pause in pauses:
        now += pause
        while isinstance(answer := quota.spend(spent, 3, Lane.BULK, now), datetime):
            spent = answer
        assert isinstance(quota.spend(spent, 3, Lane.INTERACTIVE, now), datetime)


@given(PAUSES, st.integers(1, 3), LANES)
def test_after_the_wait_that_was_told_there_is_room(
    pause: timedelta, units: int, lane: Lane
) -> None:
    quota, spent, now = Quota(per_minute=600), None, START
    answer = quota.spend(spent, units, lane, now)
    while isinstance(answer, datetime):
        spent = answer
        answer = quota.spend(spent, units, lane, now)

    later = quota.spend(spent, units, lane, now + answer + pause)

    assert answer > timedelta()
    assert isinstance(later, datetime)
