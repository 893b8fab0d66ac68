"""Faults on demand: errors, latency, lost answers, disturbed notifications."""

import dataclasses
import enum
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.demo import storage


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
class Fault:
    """One instruction; `times` None means until it is withdrawn."""

    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    status: int | None = None
    reason: str = ""
    domain: str = ""
    message: str = ""
    body: storage.Json | None = None
    retry_after: int | None = None
    latency_seconds: float = 0
    apply_then_fail: LostAnswer | None = None
    notifications: Disturbance | None = None
    seconds: float = 0

    def matches(self, call: Mapping[str, str]) -> bool:
        """Whether the fault befalls a request, which has what can be matched."""
        if self.notifications:
            return False
        exact = {k: v for k, v in self.match.items() if k != "path"}
        if any(call[name] != value for name, value in exact.items()):
            return False
        return bool(re.search(self.match.get("path", ""), call["path"]))


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

    def listed(self) -> list[storage.Json]:
        """Return the faults in force with their numbers, as JSON."""
        with self._lock:
            return [
                {"id": number} | dataclasses.asdict(fault)
                for number, fault in self._faults.items()
            ]

    def take(self, call: Mapping[str, str]) -> Fault | None:
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
