"""Faults on demand as Google's errors, with its usual reasons and messages."""

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus

from deploy.demo import admin_input, fault_input, faults
from deploy.demo.google import discovery, errors

MATCHABLE = ("operation", "account", "client", "path", "event_id")
"""What of a request a fault can be told to match."""

_MESSAGES: Mapping[str, str] = {
    "backendError": "Backend Error",
    "rateLimitExceeded": "Rate Limit Exceeded",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "quotaExceeded": "Calendar usage limits exceeded.",
    "forbidden": "Forbidden",
    "notFound": "Not Found",
    "authError": "Invalid Credentials",
    "insufficientPermissions": "Request had insufficient authentication scopes.",
    "forbiddenForNonOrganizer": (
        "Shared properties can only be changed by the organizer of the event."
    ),
    "requiredAccessLevel": "You need to have writer access to this calendar.",
    "conditionNotMet": "Precondition Failed",
    "fullSyncRequired": "Sync token is no longer valid, a full sync is required.",
    "duplicate": "The requested identifier already exists.",
    "deleted": "Resource has been deleted",
}
_REASONS: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "badRequest",
    HTTPStatus.UNAUTHORIZED: "authError",
    HTTPStatus.FORBIDDEN: "rateLimitExceeded",
    HTTPStatus.NOT_FOUND: "notFound",
    HTTPStatus.CONFLICT: "duplicate",
    HTTPStatus.GONE: "fullSyncRequired",
    HTTPStatus.PRECONDITION_FAILED: "conditionNotMet",
    HTTPStatus.TOO_MANY_REQUESTS: "rateLimitExceeded",
}
_DOMAINS: Mapping[str, str] = {
    "rateLimitExceeded": "usageLimits",
    "userRateLimitExceeded": "usageLimits",
    "quotaExceeded": "usageLimits",
    "fullSyncRequired": "calendar",
    "forbiddenForNonOrganizer": "calendar",
    "requiredAccessLevel": "calendar",
}


def read(body: admin_input.Body) -> faults.Fault:
    """Return the fault that a body describes; `calendar.` may precede an operation."""
    fault = fault_input.read(body, matchable=MATCHABLE, without={"body"})
    asked = fault.match.get("operation")
    if asked is None:
        return fault
    operation = asked.removeprefix(discovery.API)
    if discovery.API + operation not in discovery.methods():
        message = f"match.operation: {asked!r} is none, such as 'events.patch'"
        raise admin_input.InputError(message)
    return dataclasses.replace(fault, match={**fault.match, "operation": operation})


def of(fault: faults.Fault) -> errors.ApiError | None:
    """Return the error to answer with, if the fault is one."""
    if fault.status is None:
        return None
    reason = fault.reason or _REASONS.get(fault.status, "backendError")
    return errors.ApiError(
        HTTPStatus(fault.status),
        reason,
        fault.message or _MESSAGES.get(reason, reason),
        domain=fault.domain or _DOMAINS.get(reason, "global"),
    )
