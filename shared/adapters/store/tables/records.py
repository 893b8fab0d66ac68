"""What is synced: tasks and events as they are linked, copied, and contested."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.adapters.store.states import ConflictState, LinkState, OrphanState
from shared.adapters.store.tables.base import Base, Document
from shared.adapters.store.types import Id
from shared.domain.reconcile import Hold

_IS_OPEN = text(f"state = '{ConflictState.OPEN}'")


class Link(Base):
    """A task and its event; `calendar_id` and `event_id` name the writer copy."""

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("organization_id", "task_id"),
        UniqueConstraint("organization_id", "ical_uid", "original_start"),
        Index(None, "calendar_id", "event_id"),
        Index(None, "organization_id", "event_id"),
        Index(None, "state", "pending_since"),
        # An id is never used twice: a copy may still name a link that was lost.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    task_id: Mapped[str | None]
    ical_uid: Mapped[str | None]
    original_start: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(String(16), default=LinkState.PENDING)
    """A `LinkState`."""
    origin: Mapped[str] = mapped_column(String(16))
    """A `domain.model.Side`: where the meeting was made first."""
    generation: Mapped[int] = mapped_column(default=0)
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendars.id"))
    event_id: Mapped[str | None]
    led_for: Mapped[str | None]
    """The CRM user whose task it is, where another user's copy leads for that user."""
    baseline: Mapped[Document | None]
    task: Mapped[Document | None]
    """The task as last seen."""
    task_version: Mapped[int | None] = mapped_column(Id)
    """The last version that was dealt with."""
    task_changed_at: Mapped[datetime | None]
    """When a synced field last changed."""
    pending_since: Mapped[datetime | None]
    written: Mapped[str | None] = mapped_column(String(16))
    """The side that was written last."""
    turns: Mapped[int] = mapped_column(default=0)
    """How often that was the other side than before, since `turned_at`."""
    turned_at: Mapped[datetime | None]
    quarantined_until: Mapped[datetime | None] = mapped_column(index=True)
    """Both sides kept changing it: until then it is left alone."""
    held_deletion_id: Mapped[int | None] = mapped_column(
        ForeignKey("held_deletions.id"), index=True
    )
    """One of its records was deleted together with many others."""
    held_guests: Mapped[list[str]] = mapped_column(default=list)
    """The guests whom Google does not let us invite at present, by CRM address."""
    guests_due_at: Mapped[datetime | None] = mapped_column(index=True)
    """When to try to invite them again."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class HeldDeletion(Base):
    """Many records that were deleted at once, until an admin has decided on them."""

    __tablename__ = "held_deletions"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id"), index=True
    )
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"))
    side: Mapped[str] = mapped_column(String(16))
    """A `domain.model.Side`: where they were deleted."""
    state: Mapped[str] = mapped_column(String(16), default=Hold.WAITING)
    """A `domain.reconcile.Hold`."""
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Search(Base):
    """The last search of an organization for orphans and duplicates."""

    __tablename__ = "searches"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id"), primary_key=True
    )
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why nothing could be found out, in plain words."""
    unread: Mapped[list[str]] = mapped_column(default=list)
    """The CRM users whose calendars could not be read in full."""


class Orphan(Base):
    """An orphan or a duplicate, as the last search has found it."""

    __tablename__ = "orphans"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id"), index=True
    )
    kind: Mapped[str] = mapped_column(String(32))
    crm_user_id: Mapped[str]
    task_id: Mapped[str | None]
    event_id: Mapped[str | None]
    title: Mapped[str | None]
    calendar: Mapped[str | None]
    """Google's id of the calendar that the event is on."""
    like: Mapped[str | None]
    """The id of the record that it looks like."""
    repair: Mapped[str | None]
    """What a repair does, in words; null where somebody has to act by hand."""
    state: Mapped[str] = mapped_column(String(16), default=OrphanState.FOUND)
    """An `OrphanState`."""
    error: Mapped[str | None] = mapped_column(Text)


class Copy(Base):
    """An event as it stands on one calendar, as last seen there."""

    __tablename__ = "copies"
    __table_args__ = (
        UniqueConstraint("calendar_id", "event_id"),
        Index(None, "calendar_id", "starts_at"),
        Index(None, "calendar_id", "series_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"))
    event_id: Mapped[str]
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id"), index=True)
    ical_uid: Mapped[str | None] = mapped_column(index=True)
    original_start: Mapped[str] = mapped_column(default="")
    etag: Mapped[str]
    settled_etag: Mapped[str | None]
    """The etag of the last state that was dealt with; equal to `etag`: an echo."""
    document: Mapped[Document]
    event_updated_at: Mapped[datetime | None]
    """The event's `updated`."""
    starts_at: Mapped[datetime | None]
    """When the event starts; of whole days, midnight UTC."""
    is_series: Mapped[bool] = mapped_column(default=False)
    """It recurs: its occurrences are copies of their own."""
    series_id: Mapped[str | None]
    """Of an occurrence: the event id of its series."""
    changed_at: Mapped[datetime | None]
    """When a synced field last changed."""


class Conflict(Base):
    """Two edits of one meeting that wait for a user; a link has one open at most."""

    __tablename__ = "conflicts"
    __table_args__ = (
        Index(
            "uq_conflicts_open",
            "link_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        # An id is never used twice: the CRM takes a second notification about one id
        # for the first.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id"), index=True
    )
    link_id: Mapped[int] = mapped_column(ForeignKey("links.id"))
    crm_user_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), default=ConflictState.OPEN)
    """A `ConflictState`."""
    fields: Mapped[list[str]]
    baseline: Mapped[Document | None]
    crm: Mapped[Document | None]
    google: Mapped[Document | None]
    version: Mapped[int] = mapped_column(default=1)
    """Grows with every edit of a side that is followed while the conflict waits."""
    choice: Mapped[Document | None]
    """The side that its user has chosen for each field, until that is carried out."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None] = mapped_column(index=True)
