"""Google's refusals as our errors: the one place that knows status codes and reasons.

Sources: https://developers.google.com/workspace/calendar/api/guides/errors and facts
176-189. Reasons decide before status codes do, because 403 and 410 each mean several
things; what is in neither table is tried again later.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException

import httplib2
from google.auth import exceptions
from googleapiclient.errors import HttpError

from shared.domain import answers, errors

_BY_REASON: Mapping[str, type[errors.SyncError]] = {
    # Too fast: facts 180-181, and their newer spelling (fact 177).
    "rateLimitExceeded": errors.RateLimitError,
    "userRateLimitExceeded": errors.RateLimitError,
    "RATE_LIMIT_EXCEEDED": errors.RateLimitError,
    # Too much, for hours: fact 182.
    "quotaExceeded": errors.UsageLimitError,
    "calendarUsageLimitsExceeded": errors.UsageLimitError,
    # Of the same kind, in Google's older pages and in other products' code.
    "dailyLimitExceeded": errors.UsageLimitError,
    "variableTermLimitExceeded": errors.UsageLimitError,
    # The grant or the project lacks something: facts 184 and 186.
    "insufficientPermissions": errors.MissingScopesError,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": errors.MissingScopesError,
    "accessNotConfigured": errors.ApiDisabledError,
    "SERVICE_DISABLED": errors.ApiDisabledError,
    # The account has no calendars at all: fact 165.
    "notACalendarUser": errors.CalendarOffError,
    # Our push address, not our token: fact 161.
    "push.webhookUrlUnauthorized": errors.RemoteRejectedError,
    # This record may not be written: facts 72, 125 and 185.
    "forbidden": errors.RemoteRejectedError,
    "forbiddenForNonOrganizer": errors.RemoteRejectedError,
    "requiredAccessLevel": errors.RemoteRejectedError,
    # The three meanings of 410: facts 19-22.
    "fullSyncRequired": errors.SyncTokenExpiredError,
    "updatedMinTooLongAgo": errors.SyncTokenExpiredError,
    "deleted": errors.RecordDeletedError,
    # A batch of writes got into each other's way, fact 188: not our identifier.
    "conflict": errors.RemoteUnavailableError,
}
_VAGUE = "forbidden"
"""Google puts this beside a reason that says more."""

_BY_STATUS: Mapping[int, type[errors.SyncError]] = {
    HTTPStatus.BAD_REQUEST: errors.RemoteRejectedError,
    HTTPStatus.UNAUTHORIZED: errors.AccessRefusedError,
    HTTPStatus.FORBIDDEN: errors.RemoteAuthError,
    HTTPStatus.NOT_FOUND: errors.RecordNotFoundError,
    HTTPStatus.CONFLICT: errors.DuplicateRecordError,
    HTTPStatus.PRECONDITION_FAILED: errors.VersionMismatchError,
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.RemoteRejectedError,
    HTTPStatus.TOO_MANY_REQUESTS: errors.RateLimitError,
}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Raise our errors for Google's; `what` names the operation and the record."""
    try:
        yield
    except HttpError as error:
        raise _refusal(what, error) from error
    except exceptions.RefreshError as error:
        message = f"Google did not renew the access token for {what}"
        raise errors.RemoteAuthError(message) from error
    except (
        OSError,
        HTTPException,
        httplib2.HttpLib2Error,
        exceptions.TransportError,
    ) as error:
        message = f"Google did not answer {what}: {type(error).__name__}"
        raise errors.RemoteUnavailableError(message) from error


def unreadable(what: str) -> errors.RemoteUnavailableError:
    """Return the error for an answer that is not what the API promises.

    Something between Google and us wrote it; so asking again later may succeed.
    """
    return errors.RemoteUnavailableError(f"Google's answer to {what} is not readable")


def _refusal(what: str, error: HttpError) -> errors.SyncError:
    reasons = _reasons(error.content)
    known = [reason for reason in reasons if reason in _BY_REASON]
    reason = min(known, key=lambda each: each == _VAGUE, default=None)
    if reason is not None:
        kind = _BY_REASON[reason]
    else:
        kind = _BY_STATUS.get(error.status_code, errors.RemoteUnavailableError)
    shown = " ".join([str(error.status_code), *([reason] if reason else reasons[:1])])
    message = f"Google answered {what} with {shown}"
    if issubclass(kind, errors.RetryableError):
        wish = error.resp.get("retry-after")
        pause = answers.retry_after(wish, date=error.resp.get("date"))
        return kind(message, retry_after=pause)
    return kind(message)


def _reasons(content: bytes) -> list[str]:
    """Return the reasons in an error envelope, the classic ones first (fact 177)."""
    try:
        error = json.loads(content)["error"]
        rows = [*error.get("errors", []), *error.get("details", [])]
        found = [row["reason"] for row in rows if "reason" in row]
    except (ValueError, KeyError, TypeError, AttributeError):
        # Not an envelope of Google's: a proxy wrote it, and the status must do.
        return []
    # They end up in messages: only what looks like a code may.
    return [each for each in found if isinstance(each, str) and _CODE.fullmatch(each)]
