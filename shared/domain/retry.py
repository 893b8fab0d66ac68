"""When to try a failed message again: (error, attempt) -> when, or give up.

Seconds are tenacity's, inside the adapters; from ten seconds on it is the delay queues.
"""

from dataclasses import dataclass

from shared.domain import errors
from shared.domain.messages import Delay

LADDER = (Delay.TEN_SECONDS, Delay.MINUTE, Delay.TEN_MINUTES, Delay.HOUR)
"""Attempt 1 is followed by the first delay; after the last one we give up."""

USAGE_LIMIT_ATTEMPTS = 24
"""Google's usage limits last hours (fact 182): try hourly for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Deliver again after `delay`; this did not count as an attempt."""

    delay: Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Make the next attempt after `delay`."""

    delay: Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Further attempts are pointless, or there were enough."""


def decide(error: BaseException, attempt: int) -> Wait | Again | GiveUp:
    """Return what becomes of a message whose `attempt` (from 1) ended in `error`.

    An unknown error is retried like an outage: it may be one, and the dead letters keep
    its traceback if it is not.
    """
    match error:
        case errors.RecordBusyError() | errors.BudgetSpentError():
            is_soon = (error.retry_after or 0) <= Delay.BUSY.seconds
            return Wait(delay=Delay.BUSY if is_soon else Delay.TEN_SECONDS)
        case errors.PermanentError():
            return GiveUp()
        case errors.UsageLimitError():
            if attempt >= USAGE_LIMIT_ATTEMPTS:
                return GiveUp()
            return Again(delay=Delay.HOUR)
        case errors.RetryableError(retry_after=float() | int() as wished):
            return _climb(attempt, at_least=float(wished))
        case _:
            return _climb(attempt, at_least=0)


def _climb(attempt: int, *, at_least: float) -> Again | GiveUp:
    if attempt > len(LADDER):
        return GiveUp()
    rungs = LADDER[attempt - 1 :]
    enough = [delay for delay in rungs if delay.seconds >= at_least]
    return Again(delay=enough[0] if enough else rungs[-1])
