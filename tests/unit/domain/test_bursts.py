"""Who changes more at once than people do."""

from datetime import UTC, datetime, timedelta

from shared.domain.bursts import SPAN, Bursts

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_what_is_more_than_allowed_is_a_burst() -> None:
    bursts = Bursts(most=3)

    told = [bursts.is_one("acme", "ann", NOW) for _ in range(5)]

    assert told == [False, False, False, True, True]


def test_what_is_spread_over_time_is_none() -> None:
    bursts = Bursts(most=1)

    told = [bursts.is_one("acme", "ann", NOW + SPAN * n) for n in range(3)]

    assert told == [False, False, False]


def test_owners_of_one_name_in_other_organizations_are_others() -> None:
    bursts = Bursts(most=1)
    bursts.is_one("acme", "ann", NOW)

    assert not bursts.is_one("other", "ann", NOW)


def test_among_too_many_owners_all_begin_anew() -> None:
    bursts = Bursts(most=1)
    bursts.is_one("acme", "ann", NOW)
    for number in range(10_001):
        bursts.is_one("acme", f"owner {number}", NOW)

    assert not bursts.is_one("acme", "ann", NOW + timedelta(seconds=1))
