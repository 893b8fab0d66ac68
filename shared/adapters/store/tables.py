"""The tables. A row is a plain object that stays readable after its unit of work.

Documents are JSON as the CRM or Google sent them, or as `domain.mapping` writes them. A
change inside a document or list goes unnoticed: assign a new one.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.adapters.store.sealed import Encrypted, EncryptedJSON
from shared.adapters.store.states import ConflictState, JobState, LinkState
from shared.adapters.store.types import Id, Instant, Json
from shared.domain.reconcile import Hold

Document = dict[str, Any]


_IS_OPEN = text(f"state = '{ConflictState.OPEN}'")


class Base(DeclarativeBase):
    """What every table has in common: how Python types become columns."""

    # Named constraints are what a later migration can drop again.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant(),
        Document: Json,
        list[str]: Json,
    }


class Organization(Base):
    """A CRM organization and its settings."""

    __tablename__ = "organizations"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    crm_url: Mapped[str]
    crm_api_key: Mapped[str] = mapped_column(Encrypted())
    crm_webhook_secrets: Mapped[list[str]] = mapped_column(EncryptedJSON())
    """Newest first; more than one while a secret is rotated."""
    launch_secret: Mapped[str | None] = mapped_column(Encrypted())
    google_client_id: Mapped[str | None]
    google_client_secret: Mapped[str | None] = mapped_column(Encrypted())
    google_app_state: Mapped[str] = mapped_column(default="unchecked")
    google_connected_as: Mapped[str | None]
    google_checked_at: Mapped[datetime | None]
    probed_at: Mapped[datetime | None]
    """When it was last tried whether Google lets a paused connection in again."""
    settings: Mapped[Document] = mapped_column(default=dict)
    crm_cursor: Mapped[datetime | None]
    """The `updated_since` of the next poll."""
    crm_polled_at: Mapped[datetime | None]
    crm_skew_seconds: Mapped[float] = mapped_column(default=0.0)
    users_read_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class CrmUser(Base):
    """A user of the CRM, as last read from it."""

    __tablename__ = "crm_users"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(index=True)
    name: Mapped[str | None]
    time_zone: Mapped[str | None]
    active: Mapped[bool]


class Connection(Base):
    """A CRM user's connection to a Google account; there is one per user."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("organization_id", "crm_user_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    crm_user_id: Mapped[str]
    google_sub: Mapped[str | None]
    google_address: Mapped[str | None] = mapped_column(index=True)
    refresh_token: Mapped[str | None] = mapped_column(Encrypted())
    access_token: Mapped[str | None] = mapped_column(Encrypted())
    access_token_expires_at: Mapped[datetime | None]
    granted_scopes: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(32))
    """A `ConnectionState`."""
    problem: Mapped[str | None] = mapped_column(String(32))
    """A `domain.access.Problem`, where Google does not let us in."""
    probed_at: Mapped[datetime | None]
    """When it was paused, or last looked at since: whether Google lets us in again.

    Of one that is about to end: when the removal of its events was last begun.
    """
    google_skew_seconds: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime]
    consented_at: Mapped[datetime | None]
    """When its user last consented at Google; `connected_at` may be later."""
    connected_at: Mapped[datetime | None]
    """Since when it has been active without a break."""
    last_sync_at: Mapped[datetime | None]


class Calendar(Base):
    """A calendar of a connected Google account, and where its pulls have got to."""

    __tablename__ = "calendars"
    __table_args__ = (
        UniqueConstraint("connection_id", "google_sub", "google_calendar_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"))
    google_sub: Mapped[str]
    google_calendar_id: Mapped[str]
    summary: Mapped[str]
    time_zone: Mapped[str]
    access_role: Mapped[str]
    is_primary: Mapped[bool] = mapped_column(default=False)
    is_selected: Mapped[bool] = mapped_column(default=False)
    sync_token: Mapped[str | None] = mapped_column(Text)
    tasks_seen_until: Mapped[datetime | None]
    """The `updated_since` of the next run; where changes are not followed at once."""
    window_until: Mapped[datetime | None]
    """Up to where meetings have entered the window, which moves on every day."""
    moved_on_at: Mapped[datetime | None]
    """When the window last began to move."""
    listed_at: Mapped[datetime | None]
    """When the last full list of both sides was complete."""
    requested: Mapped[int] = mapped_column(default=0)
    """Raised by every wish for a pull; a pull that began later grants it."""
    done: Mapped[int] = mapped_column(default=0)
    polled_at: Mapped[datetime | None]
    watch_refused: Mapped[bool] = mapped_column(default=False)
    """Google does not push for this calendar; polling is all there is."""


class Channel(Base):
    """A watch channel that we opened on a calendar."""

    __tablename__ = "channels"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"), index=True)
    resource_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(16))
    """A `ChannelState`."""
    created_at: Mapped[datetime]
    renew_at: Mapped[datetime | None]
    """When to open its successor; with jitter, so that not all come at once."""
    expires_at: Mapped[datetime | None]
    last_notified_at: Mapped[datetime | None]


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
    quarantined_until: Mapped[datetime | None]
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


class Budget(Base):
    """What is spent of a quota (`domain.quota`), such as that of a Google account."""

    __tablename__ = "budgets"

    name: Mapped[str] = mapped_column(primary_key=True)
    spent_until: Mapped[datetime | None]


class Job(Base):
    """One piece of sync work as the history shows it."""

    __tablename__ = "jobs"

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
    finished_at: Mapped[datetime | None]
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
    resolved_at: Mapped[datetime | None]


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
    created_at: Mapped[datetime]


class ApiToken(Base):
    """A token for the JSON API; only its hash is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(String(16))
    """A `Role`."""
    crm_user_id: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class LoginCode(Base):
    """A one-time sign-in address."""

    __tablename__ = "login_codes"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    role: Mapped[str] = mapped_column(String(16))
    crm_user_id: Mapped[str | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OAuthState(Base):
    """A consent that was asked for; without user it is the organization's own."""

    __tablename__ = "oauth_states"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    crm_user_id: Mapped[str | None]
    code_verifier: Mapped[str] = mapped_column(Encrypted())
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
