"""The closed sets among the columns.

The columns are plain texts all the same: a member and its text are equal, and during an
upgrade an older process can meet a value that it does not know.
"""

from enum import StrEnum


class GoogleAppState(StrEnum):
    """What Google said to an organization's client id and secret."""

    UNCHECKED = "unchecked"
    """Google was not asked about them yet."""
    ACCEPTED = "accepted"
    """Google knows them and our redirect address; nobody has consented yet."""
    VERIFIED = "verified"
    """Somebody has consented to them."""
    REFUSED = "refused"
    REDIRECT_REFUSED = "redirect_refused"
    """They are accepted, but our redirect address is not registered for them."""
    API_DISABLED = "api_disabled"
    """They are accepted, but their project has the Calendar API switched off."""


class CrmState(StrEnum):
    """What an organization's CRM said when it was last asked for its users."""

    UNCHECKED = "unchecked"
    CHECKING = "checking"
    """A worker was told to ask."""
    VERIFIED = "verified"
    KEY_REFUSED = "key_refused"
    """It does not know the key."""
    FORBIDDEN = "forbidden"
    """It knows the key, which lacks a permission."""
    NOT_FOUND = "not_found"
    """Something answers at the address, but there are no users of a CRM."""
    UNREACHABLE = "unreachable"
    """It does not answer, or not with what the CRM's API promises."""


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


class OrphanState(StrEnum):
    """What has become of an orphan or a duplicate since it was found."""

    FOUND = "found"
    CHOSEN = "chosen"
    """An admin wants it repaired."""
    REPAIRED = "repaired"
    FAILED = "failed"
    GONE = "gone"
    """It was in order before the repair came to it."""


class ConflictState(StrEnum):
    """Whether a conflict still waits for a user."""

    OPEN = "open"
    RESOLVED = "resolved"


class Role(StrEnum):
    """What the bearer of a token or a session may do."""

    ADMIN = "admin"
    USER = "user"
    OPERATOR = "operator"
