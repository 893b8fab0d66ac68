"""The CRM's refusals as our errors: the one place that knows its status codes."""

import re
from collections.abc import Mapping
from http import HTTPStatus

import requests

from shared.domain import answers, errors

_BY_STATUS: Mapping[int, type[errors.SyncError]] = {
    HTTPStatus.BAD_REQUEST: errors.RemoteRejectedError,
    HTTPStatus.UNAUTHORIZED: errors.RemoteAuthError,
    # The key lacks a permission: waiting does not add it.
    HTTPStatus.FORBIDDEN: errors.RemoteRejectedError,
    HTTPStatus.NOT_FOUND: errors.RecordNotFoundError,
    HTTPStatus.CONFLICT: errors.DuplicateRecordError,
    HTTPStatus.GONE: errors.RecordDeletedError,
    HTTPStatus.PRECONDITION_FAILED: errors.VersionMismatchError,
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.RemoteRejectedError,
    HTTPStatus.TOO_MANY_REQUESTS: errors.RateLimitError,
}

_FIELD = re.compile(r"[A-Za-z0-9_./\[\]-]{1,64}")
"""The name of a field, or a JSON pointer to it."""


def refusal(answer: requests.Response, what: str) -> errors.SyncError:
    """Return the error for an answer; `what` names the operation and the record."""
    status, problem = answer.status_code, json_of(answer)
    fields = _fields(problem)
    message = f"the CRM answered {what} with {status}"
    message += f" because of {', '.join(fields)}" if fields else ""
    details = problem if isinstance(problem, dict) else {}
    kind = _BY_STATUS.get(status, errors.RemoteUnavailableError)
    if issubclass(kind, errors.DuplicateRecordError):
        return kind(message, existing_id=details.get("existing_id"))
    if issubclass(kind, errors.VersionMismatchError):
        current = details.get("current")
        return kind(message, current=current if isinstance(current, dict) else None)
    if issubclass(kind, errors.RetryableError):
        wish = answer.headers.get("Retry-After")
        pause = answers.retry_after(wish, date=answer.headers.get("Date"))
        return kind(message, retry_after=pause)
    return kind(message)


def _fields(problem: object) -> list[str]:
    """Return the names of the fields that a problem body complains about.

    `crm-api.yaml` promises one error per field and leaves their form open: an object
    by field, or a list of objects that name theirs.
    """
    match problem:
        case {"errors": dict(by_field)}:
            names = list(by_field)
        case {"errors": list(rows)}:
            named = (row for row in rows if isinstance(row, dict))
            names = [row.get("field") or row.get("pointer") for row in named]
        case _:
            names = []
    # They end up in messages: only what looks like a name may.
    return [n for n in names if isinstance(n, str) and _FIELD.fullmatch(n)]


def json_of(answer: requests.Response) -> object:
    """Return the JSON of an answer, None if it is not JSON."""
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return None


def unreadable(what: str) -> errors.RemoteUnavailableError:
    """Return the error for an answer that is not what the CRM's API promises."""
    return errors.RemoteUnavailableError(f"the CRM's answer to {what} is not readable")
