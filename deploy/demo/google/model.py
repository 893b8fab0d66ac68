"""What the simulated Calendar keeps, as frozen values that turn into JSON and back."""

import base64
import dataclasses
import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object, as Google's resources are."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GROUP_DOMAIN = "@group.calendar.google.com"


def micros(at: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(at_micros: int) -> datetime:
    """Return the instant of microseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=at_micros)


def timestamp(at_micros: int) -> str:
    """Return an instant as Google prints `updated`: UTC with milliseconds."""
    text = instant(at_micros).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def base32hex(raw: bytes) -> str:
    """Return bytes in the alphabet of Google's ids (0-9 and a-v, RFC 4648)."""
    return base64.b32hexencode(raw).decode().rstrip("=").lower()


class Role(enum.StrEnum):
    """What an account may do with a calendar (`accessRole`)."""

    FREE_BUSY_READER = "freeBusyReader"
    READER = "reader"
    WRITER_WITHOUT_PRIVATE_ACCESS = "writerWithoutPrivateAccess"
    WRITER = "writer"
    OWNER = "owner"

    @property
    def is_writer(self) -> bool:
        """Whether the role may change events."""
        return self in _WRITERS

    @property
    def sees_private(self) -> bool:
        """Whether the role sees the details of private events."""
        return self in (Role.WRITER, Role.OWNER)

    def reaches(self, least: str) -> bool:
        """Whether the role is at least another."""
        order = list(Role)
        return order.index(self) >= order.index(Role(least))


_WRITERS = (Role.WRITER_WITHOUT_PRIVATE_ACCESS, Role.WRITER, Role.OWNER)


class Removal(enum.StrEnum):
    """Why an event is cancelled, which decides what is left of it to see."""

    NOT = ""
    BY_SELF = "by_self"  # keeps its details, can be restored
    BY_OTHERS = "by_others"  # only the id is left
    SUPERSEDED = "superseded"  # an exception whose series moved away from it


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A value that is stored as one JSON document."""

    def to_json(self) -> Json:
        """Return the fields."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Return the value whose fields the document holds."""
        return cls(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Record):
    """A Google account: its address is also the id of its primary calendar.

    `changed` numbers the last change of its settings.
    """

    address: str
    name: str
    time_zone: str
    changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Record):
    """A calendar; `token_epoch` rises when all its sync tokens die."""

    id: str
    owner: str
    summary: str
    time_zone: str
    description: str = ""
    created: int = 0
    token_epoch: int = 0

    @property
    def is_secondary(self) -> bool:
        """Whether it is nobody's primary calendar."""
        return self.id != self.owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Record):
    """A calendar on an account's list, or one that was removed from it."""

    account: str
    calendar_id: str
    role: str
    changed: int = 0
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCopy(Record):
    """One event as it stands on one calendar.

    `body` holds the resource without what rendering adds. `created` and `updated` are
    microseconds, `stamp` makes the etag, and `changed` numbers the change in the order
    in which lists and sync tokens see it. Of an exception, `overrides` names the fields
    that no longer follow the series.
    """

    calendar_id: str
    id: str
    body: Json
    created: int = 0
    updated: int = 0
    stamp: int = 0
    changed: int = 0
    removal: str = Removal.NOT
    overrides: list[str] = field(default_factory=list)

    @property
    def etag(self) -> str:
        """The entity tag, quotes included."""
        return f'"{2 * self.stamp}"'

    @property
    def is_cancelled(self) -> bool:
        """Whether the event is deleted, or the occurrence cancelled."""
        return bool(self.body["status"] == "cancelled")

    @property
    def was_taken_away(self) -> bool:
        """Whether somebody else ended it here: by moving, deleting or uninviting."""
        return self.removal == Removal.BY_OTHERS

    @property
    def is_series(self) -> bool:
        """Whether it is the master of a recurring event."""
        return bool(self.body.get("recurrence"))

    @property
    def series_id(self) -> str:
        """The id of the series it is an exception of, or empty."""
        return str(self.body.get("recurringEventId", ""))

    @property
    def is_organizer_copy(self) -> bool:
        """Whether this calendar organizes the event."""
        return bool(self.body["organizer"]["email"] == self.calendar_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Record):
    """A watch channel; a stopped one stays known, for its id is used up."""

    id: str
    account: str
    client_id: str
    calendar_id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str
    expires_at: int
    is_stopped: bool = False


class MailKind(enum.StrEnum):
    """What a mail to a guest or organizer says."""

    INVITATION = "invitation"
    UPDATE = "update"
    CANCELLATION = "cancellation"
    REPLY = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail(Record):
    """A mail that Google would have sent."""

    id: int = 0
    time: str = ""
    to: str
    kind: str
    event_id: str
    calendar_id: str
    summary: str


def group_calendar_id(number: int) -> str:
    """Return an id for a new secondary calendar."""
    return base32hex(number.to_bytes(16)) + _GROUP_DOMAIN
