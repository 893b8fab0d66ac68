"""What the simulated CRM keeps, as frozen values that turn into JSON and back."""

import dataclasses
import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from deploy.demo import storage


def timestamp(at: datetime) -> str:
    """Return an instant as the CRM prints it: UTC with milliseconds, sortable."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Permission(enum.StrEnum):
    """What an API key may do with tasks."""

    VIEW = "View"
    CREATE = "Create"
    EDIT = "Edit"


class EventType(enum.StrEnum):
    """What happened to a task, as webhooks name it."""

    CREATED = "task.created"
    UPDATED = "task.updated"
    DELETED = "task.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A value that is stored as one JSON document."""

    def to_json(self) -> storage.Json:
        """Return the fields."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, document: storage.Json) -> Self:
        """Return the value whose fields the document holds."""
        return cls(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """A person who owns tasks."""

    id: str
    email: str
    name: str | None = None
    time_zone: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Record):
    """A task, field by field as the contract has it; a deleted one is its tombstone."""

    id: str
    type: str
    title: str
    owner_id: str
    description: str | None = None
    location: str | None = None
    status: str = "open"
    due_at: str | None = None
    due_date: str | None = None
    duration_minutes: int | None = None
    duration_days: int | None = None
    time_zone: str | None = None
    attendees: list[storage.Json] = field(default_factory=list)
    google_event_id: str | None = None
    google_calendar_id: str | None = None
    version: int = 0
    created_at: str = ""
    updated_at: str = ""
    deleted: bool = False

    @property
    def etag(self) -> str:
        """The version as an entity tag, quotes included."""
        return f'"{self.version}"'

    @property
    def position(self) -> tuple[str, str]:
        """Where the task stands in a list, oldest change first."""
        return self.updated_at, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation(Record):
    """Which task an idempotency key created, and when."""

    key: str
    task_id: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Record):
    """A message that a user sees; `number` orders them, the newest last."""

    number: int
    user_id: str
    title: str
    body: str | None = None
    link: str | None = None
    key: str | None = None
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Record):
    """A key of the API and what it permits."""

    key: str
    permissions: list[str]

    def permits(self, permission: Permission) -> bool:
        """Whether a call that needs a permission may be made."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Record):
    """A webhook on its way, kept until it has arrived; `body` is sent as it is."""

    id: str
    number: int
    type: str
    task_id: str
    version: int
    body: str
