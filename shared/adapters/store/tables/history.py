"""What was done, and what it cost."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.adapters.store.states import JobState
from shared.adapters.store.tables.base import Base, Document
from shared.adapters.store.types import Id


class Budget(Base):
    """What is spent of a quota (`domain.quota`), such as that of a Google account."""

    __tablename__ = "budgets"

    name: Mapped[str] = mapped_column(primary_key=True)
    spent_until: Mapped[datetime | None]


class Job(Base):
    """One piece of sync work as the history shows it."""

    __tablename__ = "jobs"
    # An id is never used twice: a message may still name a job that was pruned.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id"), index=True
    )
    connection_id: Mapped[int | None] = mapped_column(Id, index=True)
    trigger: Mapped[str] = mapped_column(String(16))
    """A `domain.messages.Trigger`."""
    direction: Mapped[str] = mapped_column(String(16))
    """A `Direction`."""
    state: Mapped[str] = mapped_column(String(16), default=JobState.RUNNING)
    """A `JobState`."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    expected: Mapped[int | None]
    """How many records belong to it; null while they are still being listed."""
    found: Mapped[int] = mapped_column(default=0)
    """How many records were listed so far."""
    processed: Mapped[int] = mapped_column(default=0)
    conflicts: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)


class JobItem(Base):
    """What became of one record in a job."""

    __tablename__ = "job_items"
    __table_args__ = (
        UniqueConstraint("job_id", "delivery_id"),
        Index(None, "organization_id", "task_id"),
        Index(None, "organization_id", "event_id"),
        Index(None, "organization_id", "at"),
        Index(None, "connection_id", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    organization_id: Mapped[int] = mapped_column(Id)
    connection_id: Mapped[int | None] = mapped_column(Id)
    link_id: Mapped[int | None] = mapped_column(Id, index=True)
    delivery_id: Mapped[str]
    task_id: Mapped[str | None]
    event_id: Mapped[str | None]
    action: Mapped[str]
    outcome: Mapped[str] = mapped_column(String(16))
    """An `Outcome`."""
    reason: Mapped[str]
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int]
    changes: Mapped[Document | None]
    crm: Mapped[Document | None]
    """The CRM's side as the decision saw it."""
    google: Mapped[Document | None]
    """Google's side as the decision saw it."""
    at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]


class Preview(Base):
    """What a first sync would do to a connection; the last one asked for is kept."""

    __tablename__ = "previews"

    connection_id: Mapped[int] = mapped_column(
        ForeignKey("connections.id"), primary_key=True
    )
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why it could not be told, in plain words."""
    counts: Mapped[Document | None]
    """Null until it is finished, or when it failed."""


class DeadLetter(Base):
    """A message that failed for good, filed for browsing and replay."""

    __tablename__ = "dead_letters"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(Id, index=True)
    delivery_id: Mapped[str] = mapped_column(unique=True)
    queue: Mapped[str]
    """Where the message failed, and where a replay puts it."""
    reason: Mapped[str] = mapped_column(index=True)
    error: Mapped[str] = mapped_column(Text)
    task_id: Mapped[str | None]
    event_id: Mapped[str | None]
    attempts: Mapped[int]
    message: Mapped[str] = mapped_column(Text)
    """The message as `domain.messages.encode` wrote it."""
    created_at: Mapped[datetime] = mapped_column(index=True)
