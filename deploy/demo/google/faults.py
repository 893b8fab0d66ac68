"""Faults on demand: errors, latency, lost answers, disturbed notifications."""

import dataclasses
import enum
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from deploy.demo.google import errors, model

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


class Disturbance(enum.StrEnum):
    """What can happen to a notification."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    LATE = "late"
    BEFORE_RESPONSE = "before_response"


class LostAnswer(enum.StrEnum):
    """How the answer to a write that was applied gets lost."""

    TIMEOUT = "timeout"
    UNAVAILABLE = "503"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a fault can match: one request."""

    operation: str
    account: str
    path: str
    event_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One instruction; `times` None means until it is withdrawn."""

    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    status: int | None = None
    reason: str = ""
    domain: str = ""
    message: str = ""
    retry_after: int | None = None
    latency_seconds: float = 0
    apply_then_fail: LostAnswer | None = None
    notifications: Disturbance | None = None
    seconds: float = 0

    def matches(self, call: Call) -> bool:
        """Whether the fault befalls a request."""
        if self.notifications:
            return False
        exact = {k: v for k, v in self.match.items() if k != "path"}
        if any(getattr(call, name) != value for name, value in exact.items()):
            return False
        return bool(re.search(self.match.get("path", ""), call.path))

    def error(self) -> errors.ApiError | None:
        """Return the error to answer with, if the fault is one."""
        if self.status is None:
            return None
        reason = self.reason or _REASONS.get(self.status, "backendError")
        return errors.ApiError(
            HTTPStatus(self.status),
            reason,
            self.message or _MESSAGES.get(reason, reason),
            domain=self.domain or _DOMAINS.get(reason, "global"),
        )


class Faults:
    """The instructions in force; each is used up as often as it says."""

    def __init__(self) -> None:
        """Start without any."""
        self._lock = threading.Lock()
        self._numbers = 0
        self._faults: dict[int, Fault] = {}

    def add(self, fault: Fault) -> int:
        """Put a fault in force; return its number."""
        with self._lock:
            self._numbers += 1
            self._faults[self._numbers] = fault
            return self._numbers

    def clear(self) -> None:
        """Withdraw all faults."""
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[model.Json]:
        """Return the faults in force with their numbers, as JSON."""
        with self._lock:
            return [
                {"id": number} | dataclasses.asdict(fault)
                for number, fault in self._faults.items()
            ]

    def take(self, call: Call) -> Fault | None:
        """Use up and return the first fault that befalls a request."""
        with self._lock:
            for number, fault in self._faults.items():
                if fault.matches(call):
                    return self._use(number, fault)
        return None

    def take_notification(self, kind: Disturbance) -> Fault | None:
        """Use up and return the first fault of a kind for a notification."""
        with self._lock:
            for number, fault in self._faults.items():
                if fault.notifications is kind:
                    return self._use(number, fault)
        return None

    def _use(self, number: int, fault: Fault) -> Fault:
        if fault.times is not None:
            if fault.times <= 1:
                del self._faults[number]
            else:
                left = dataclasses.replace(fault, times=fault.times - 1)
                self._faults[number] = left
        return fault
