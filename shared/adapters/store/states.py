"""The closed sets among the columns.

The columns are plain texts all the same: a member and its text are equal, and during an
upgrade an older process can meet a value that it does not know.
"""

from enum import StrEnum


class GoogleAppState(StrEnum):
    """What Google said to an organization's client id and secret."""

    UNCHECKED = "unchecked"
    """Nobody has consented to them yet."""
    VERIFIED = "verified"
    REFUSED = "refused"
    API_DISABLED = "api_disabled"
    """They are accepted, but their project has the Calendar API switched off."""


class ConnectionState(StrEnum):
    """Whether a user's calendar is synced, and if not, why."""

    ACTIVE = "active"
    NEEDS_REAUTHORIZATION = "needs_reauthorization"
    MISSING_SCOPES = "missing_scopes"
    CALENDAR_MISSING = "calendar_missing"
    PAUSED = "paused"
    DISCONNECTED = "disconnected"


class ChannelState(StrEnum):
    """The life of a watch channel; stored before Google is asked, each time."""

    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class LinkState(StrEnum):
    """How far a link has come."""

    PENDING = "pending"
    """The ids are reserved; whether the record was made is not known yet."""
    ACTIVE = "active"
    CONFLICT = "conflict"
    DETACHED = "detached"
    """Not synced any more, kept so that it can be taken up again."""


class Direction(StrEnum):
    """Where the changes of a job come from and go to."""

    CRM_TO_GOOGLE = "crm_to_google"
    GOOGLE_TO_CRM = "google_to_crm"
    BOTH = "both"


class JobState(StrEnum):
    """How a job ended, if it did."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """Some of its records failed."""
    FAILED = "failed"
    """All of its records failed."""


class Outcome(StrEnum):
    """How the look at one record ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    FAILED = "failed"
    HELD = "held"


class ConflictState(StrEnum):
    """Whether a conflict still waits for a user."""

    OPEN = "open"
    RESOLVED = "resolved"


class Role(StrEnum):
    """What the bearer of a token or a session may do."""

    ADMIN = "admin"
    USER = "user"
    OPERATOR = "operator"
