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


@given(st.lists(st.tuples(PAUSES, LANES), max_size=60))
def test_the_share_that_is_spent_is_full_when_somebody_has_to_wait(
    wishes: list[tuple[timedelta, Lane]],
) -> None:
    quota, now, spent = Quota(per_minute=60), START, START
    for pause, lane in wishes:
        now += pause
        answer = quota.spend(spent, 1, lane, now)
        spent = answer if isinstance(answer, datetime) else spent
        used = quota.used(spent, now)
        limit = 0.5 if lane is Lane.BULK else 1.0
        assert 0 <= used <= 1
        if isinstance(answer, timedelta):
            assert used + quota.used(now + MINUTE / 48, now) > limit


def test_a_clock_that_was_set_back_stops_nobody() -> None:
    quota = Quota(per_minute=600)
    spent = quota.spend(None, 1, Lane.INTERACTIVE, START + timedelta(hours=1))
    assert isinstance(spent, datetime)

    assert isinstance(quota.spend(spent, 1, Lane.INTERACTIVE, START), datetime)


def test_a_clock_that_is_a_little_ahead_gives_nobody_more() -> None:
    quota = Quota(per_minute=600)
    ahead, spent = START + timedelta(seconds=20), None
    while isinstance(
        answer := quota.spend(spent, 1, Lane.INTERACTIVE, ahead), datetime
    ):
        spent = answer

    assert isinstance(quota.spend(spent, 1, Lane.INTERACTIVE, START), timedelta)
