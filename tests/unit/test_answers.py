"""The headers of answers: clocks and patience."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain import answers, errors

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_HEADER = "Tue, 24 Nov 2026 12:00:00 GMT"


def seconds(number: float) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=number)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.999])
def test_rounding_to_whole_seconds_is_no_skew(fraction: float) -> None:
    at = NOON + seconds(fraction)

    skew = answers.skew(NOON_HEADER, sent_at=at, received_at=at)

    assert skew == timedelta()


def test_a_slow_answer_is_no_skew() -> None:
    skew = answers.skew(
        NOON_HEADER, sent_at=NOON - seconds(8), received_at=NOON + seconds(1)
    )

    assert skew == timedelta()


def test_a_clock_ahead_has_a_positive_skew() -> None:
    at = NOON - seconds(60)

    skew = answers.skew(NOON_HEADER, sent_at=at, received_at=at)

    assert skew == seconds(60)


def test_a_clock_behind_has_a_negative_skew() -> None:
    at = NOON + seconds(60)

    skew = answers.skew(NOON_HEADER, sent_at=at, received_at=at)

    assert skew == seconds(-59)


@pytest.mark.parametrize("header", [None, "", "yesterday", "Tue, 99 Nov 2026"])
def test_no_date_says_nothing_about_the_clock(header: str | None) -> None:
    skew = answers.skew(header, sent_at=NOON, received_at=NOON)

    assert skew is None


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 24 Nov 2026 12:01:30 GMT", 90.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_patience_is_wished_in_seconds_or_until_a_date(
    wish: str | None, expected: float | None
) -> None:
    pause = answers.retry_after(wish, date=NOON_HEADER)

    assert pause == expected


def test_a_date_to_wait_for_means_nothing_without_the_servers_own() -> None:
    pause = answers.retry_after(NOON_HEADER, date=None)

    assert pause is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.RemoteUnavailableError(), True),
        (errors.RateLimitError(retry_after=5), True),
        (errors.RateLimitError(retry_after=6), False),
        (errors.UsageLimitError(), False),
        (errors.RemoteAuthError(), False),
        (errors.RecordNotFoundError(), False),
        (ValueError(), False),
    ],
)
def test_only_short_outages_are_worth_repeating(
    error: Exception, *, expected: bool
) -> None:
    worth = answers.is_worth_repeating(error)

    assert worth is expected


def test_the_pause_is_what_the_remote_wished() -> None:
    wished = answers.wished_pause(errors.RateLimitError(retry_after=3))
    unspoken = answers.wished_pause(errors.RemoteUnavailableError())

    assert (wished, unspoken) == (3, 0)


def test_an_error_of_ours_is_no_wish_of_the_remote() -> None:
    assert answers.wished_pause(errors.RecordNotFoundError()) == 0
