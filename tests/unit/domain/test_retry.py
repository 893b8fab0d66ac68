"""When a failed message is tried again, by its error and attempt."""

from typing import Any

import pytest

from shared.domain import errors, retry
from shared.domain.messages import Delay
from shared.domain.retry import Again, GiveUp, Wait

CLIMBING = [
    errors.RemoteUnavailableError(),
    errors.RateLimitError(),
    errors.RemoteAuthError(),
    errors.GrantRevokedError(),
    errors.AccountGoneError(),
    errors.AdminPolicyError(),
    errors.AccessRefusedError(),
    errors.CalendarOffError(),
    errors.MissingScopesError(),
    errors.ApiDisabledError(),
    errors.ClientRefusedError(),
    errors.ContendedRecordError(),
    errors.BrokerConnectionError(),
    errors.VersionMismatchError(),
    errors.SyncTokenExpiredError(),
    errors.RecordNotFoundError(),
    errors.DuplicateRecordError(),
    errors.SyncError(),
    ConnectionResetError(),
    LookupError("a bug"),
]
POINTLESS = [
    errors.PermanentError(),
    errors.RemoteRejectedError(),
    errors.MappingError(),
    errors.MessageDecodeError(),
]


def named(error: BaseException) -> str:
    """Name a case by its error."""
    return type(error).__name__


@pytest.mark.parametrize("error", CLIMBING, ids=named)
def test_attempts_get_rarer_until_there_were_enough(error: BaseException) -> None:
    outcomes = [retry.decide(error, attempt) for attempt in range(1, 7)]

    assert outcomes == [
        Again(delay=Delay.TEN_SECONDS),
        Again(delay=Delay.MINUTE),
        Again(delay=Delay.TEN_MINUTES),
        Again(delay=Delay.HOUR),
        GiveUp(),
        GiveUp(),
    ]


@pytest.mark.parametrize("error", POINTLESS, ids=named)
def test_what_cannot_succeed_is_not_tried_twice(error: BaseException) -> None:
    assert retry.decide(error, 1) == GiveUp()


@pytest.mark.parametrize("attempt", [1, 5, 100])
def test_a_busy_record_waits_a_moment_without_counting(attempt: int) -> None:
    outcome = retry.decide(errors.RecordBusyError(), attempt)

    assert outcome == Wait(delay=Delay.BUSY)


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [(1, Again(delay=Delay.HOUR)), (23, Again(delay=Delay.HOUR)), (24, GiveUp())],
)
def test_a_usage_limit_is_waited_out_for_a_day(
    attempt: int, outcome: Again | GiveUp
) -> None:
    assert retry.decide(errors.UsageLimitError(retry_after=1), attempt) == outcome


@pytest.mark.parametrize(
    ("retry_after", "attempt", "delay"),
    [
        (0, 1, Delay.TEN_SECONDS),
        (10, 1, Delay.TEN_SECONDS),
        (10.5, 1, Delay.MINUTE),
        (60, 1, Delay.MINUTE),
        (61, 1, Delay.TEN_MINUTES),
        (601, 1, Delay.HOUR),
        (86400, 1, Delay.HOUR),
        (5, 2, Delay.MINUTE),
        (5, 4, Delay.HOUR),
        (None, 3, Delay.TEN_MINUTES),
    ],
)
def test_a_remote_is_left_alone_for_at_least_as_long_as_it_asks(
    retry_after: float | None, attempt: int, delay: Delay
) -> None:
    error = errors.RateLimitError(retry_after=retry_after)

    assert retry.decide(error, attempt) == Again(delay=delay)


def test_asking_for_patience_buys_no_further_attempts() -> None:
    assert retry.decide(errors.RateLimitError(retry_after=1), 5) == GiveUp()


def test_every_class_of_error_has_a_decision() -> None:
    def below(kind: type[Any]) -> set[type[Any]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    ours = {k for k in below(errors.SyncError) if k.__module__ == errors.__name__}

    for kind in ours - {errors.ConfigurationError, errors.TopologyError}:
        assert isinstance(retry.decide(kind(), 1), Wait | Again | GiveUp)


@pytest.mark.parametrize(
    ("seconds", "delay"), [(0.4, Delay.BUSY), (1, Delay.BUSY), (7, Delay.TEN_SECONDS)]
)
def test_a_spent_budget_is_waited_for_and_counts_as_no_attempt(
    seconds: float, delay: Delay
) -> None:
    error = errors.BudgetSpentError(retry_after=seconds)

    assert retry.decide(error, 9) == Wait(delay=delay)
