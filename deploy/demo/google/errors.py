"""Google's error answers: one exception, one function per documented error.

The envelope is that of https://developers.google.com/workspace/calendar/api/guides/errors.
"""

from http import HTTPStatus
from typing import Any

_STATUS_NAMES = {
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED",
}


class ApiError(Exception):
    """A request that Google refuses; `envelope` is the JSON it answers with."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: tuple[str, str] | None = None,
        detail: str = "",
    ) -> None:
        """Take `location` as (type, name) and `detail` as a newer-style reason."""
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain
        self.location = location
        self.detail = detail

    def envelope(self) -> dict[str, Any]:
        """Return the body of the answer."""
        row = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            row["locationType"], row["location"] = self.location
        error: dict[str, Any] = {
            "errors": [row],
            "code": int(self.status),
            "message": self.message,
        }
        if self.detail:
            error["status"] = _STATUS_NAMES[self.status]
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": self.detail,
                    "domain": "googleapis.com",
                    "metadata": {"service": "calendar-json.googleapis.com"},
                }
            ]
        return {"error": error}


def invalid(message: str, *, parameter: str = "") -> ApiError:
    """Return the 400 for a value that Google does not take."""
    location = ("parameter", parameter) if parameter else None
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid", message, location=location)


def invalid_parameter(name: str, message: str) -> ApiError:
    """Return the 400 for a query parameter that is unknown or malformed."""
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        "invalidParameter",
        message,
        location=("parameter", name),
    )


def required(message: str) -> ApiError:
    """Return the 400 for something left out."""
    return ApiError(HTTPStatus.BAD_REQUEST, "required", message)


def parse_error() -> ApiError:
    """Return the 400 for a body that is not a JSON object."""
    return ApiError(HTTPStatus.BAD_REQUEST, "parseError", "Parse Error")


def too_large() -> ApiError:
    """Return the 400 for a value beyond a size limit."""
    return invalid("A provided value exceeds the allowed size limit.")


def time_range_empty(parameter: str = "timeMax") -> ApiError:
    """Return the 400 for an end before its start."""
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        "timeRangeEmpty",
        "The specified time range is empty.",
        domain="calendar",
        location=("parameter", parameter),
    )


def sync_token_with_restrictions() -> ApiError:
    """Return the 400 for a sync token beside a filter."""
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        "syncTokenWithRequestRestrictions",
        "Sync token cannot be used with other request restrictions.",
        location=("parameter", "syncToken"),
    )


def push_not_supported() -> ApiError:
    """Return the 400 for watching a calendar that Google fills itself."""
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        "pushNotSupportedForRequestedResource",
        "Push notifications are not supported by this resource.",
        domain="calendar",
    )


def invalid_credentials() -> ApiError:
    """Return the 401 for a token that is dead or was never issued."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "authError",
        "Invalid Credentials",
        location=("header", "Authorization"),
    )


def login_required() -> ApiError:
    """Return the 401 for a request without a token."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "required",
        "Login Required.",
        location=("header", "Authorization"),
    )


def insufficient_permissions() -> ApiError:
    """Return the 403 for a token without any scope that the method accepts."""
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        detail="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    )


def required_access_level() -> ApiError:
    """Return the 403 for a write to a calendar that one may only read."""
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "requiredAccessLevel",
        "You need to have writer access to this calendar.",
        domain="calendar",
    )


def forbidden() -> ApiError:
    """Return the 403 for a write that nobody may make."""
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", "Forbidden")


def forbidden_for_non_organizer() -> ApiError:
    """Return the 403 for a guest who changes what only the organizer may."""
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "forbiddenForNonOrganizer",
        "Shared properties can only be changed by the organizer of the event.",
        domain="calendar",
    )


def rate_limit_exceeded(
    status: HTTPStatus = HTTPStatus.FORBIDDEN, reason: str = "rateLimitExceeded"
) -> ApiError:
    """Return the 403 or 429 for too many requests."""
    message = "Rate Limit Exceeded"
    if reason == "userRateLimitExceeded":
        message = "User Rate Limit Exceeded"
    return ApiError(status, reason, message, domain="usageLimits")


def not_found() -> ApiError:
    """Return the 404 for what does not exist or cannot be seen."""
    return ApiError(HTTPStatus.NOT_FOUND, "notFound", "Not Found")


def channel_not_found(channel_id: str, project: str) -> ApiError:
    """Return the 404 for stopping a channel that the caller does not have."""
    message = f"Channel '{channel_id}' not found for project '{project}'"
    return ApiError(HTTPStatus.NOT_FOUND, "notFound", message)


def duplicate() -> ApiError:
    """Return the 409 for an id that is taken, if only by a deleted event."""
    return ApiError(
        HTTPStatus.CONFLICT, "duplicate", "The requested identifier already exists."
    )


def full_sync_required() -> ApiError:
    """Return the 410 for a sync token that died."""
    return ApiError(
        HTTPStatus.GONE,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        domain="calendar",
        location=("parameter", "syncToken"),
    )


def updated_min_too_long_ago() -> ApiError:
    """Return the 410 for an `updatedMin` beyond the memory of deletions."""
    return ApiError(
        HTTPStatus.GONE,
        "updatedMinTooLongAgo",
        "The requested minimum modification time lies too far in the past.",
        domain="calendar",
        location=("parameter", "updatedMin"),
    )


def deleted() -> ApiError:
    """Return the 410 for deleting what is deleted."""
    return ApiError(HTTPStatus.GONE, "deleted", "Resource has been deleted")


def condition_not_met() -> ApiError:
    """Return the 412 for an `If-Match` that does not match."""
    return ApiError(
        HTTPStatus.PRECONDITION_FAILED,
        "conditionNotMet",
        "Precondition Failed",
        location=("header", "If-Match"),
    )


def backend_error(status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR) -> ApiError:
    """Return a 5xx."""
    return ApiError(status, "backendError", "Backend Error")
