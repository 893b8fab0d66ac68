"""What an HTTP answer tells besides its body: the server's clock, when to ask again.

Both remotes' adapters read these headers; so the rules are here, where both find them.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.domain import errors

LONGEST_PAUSE_SECONDS = 5.0
"""A remote that wants to be left alone for longer is asked again by the queues."""

_RESOLUTION = timedelta(seconds=1)
_NO_SKEW = timedelta()


def skew(
    date: str | None, *, sent_at: datetime, received_at: datetime
) -> timedelta | None:
    """Return how far the server's clock is ahead of ours, by an answer's `Date`.

    The header has whole seconds (RFC 9110, 5.6.7) and was written at some instant
    between sending and receiving, so it names a span; the value nearest to zero is
    taken, lest rounding looks like a wrong clock. None for a header that is missing or
    no date.
    """
    server = _http_date(date)
    if server is None:
        return None
    least, most = server - received_at, server + _RESOLUTION - sent_at
    return max(least, min(most, _NO_SKEW))


def retry_after(wish: str | None, *, date: str | None) -> float | None:
    """Return the seconds of a `Retry-After` header, which may be a date (RFC 9110).

    A date is measured from the answer's own `date`, so that no clock of ours matters.
    None when the header is missing or malformed.
    """
    text = (wish or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    then, now = _http_date(text), _http_date(date)
    if then is None or now is None:
        return None
    return max(0.0, (then - now).total_seconds())


def is_worth_repeating(error: BaseException) -> bool:
    """Tell whether a request that may be repeated should be, within seconds."""
    match error:
        case errors.RemoteUnavailableError() | errors.RateLimitError():
            return (error.retry_after or 0.0) <= LONGEST_PAUSE_SECONDS
        case _:
            return False


def wished_pause(error: BaseException) -> float:
    """Return the seconds that the remote asked for, 0 if it did not."""
    if isinstance(error, errors.RetryableError):
        return error.retry_after or 0.0
    return 0.0


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
