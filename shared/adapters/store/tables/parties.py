"""Whose meetings are synced: organizations, their users, and the Google accounts."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.adapters.store.sealed import Encrypted, EncryptedJSON
from shared.adapters.store.tables.base import Base, Document
from shared.adapters.store.types import Id


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
    crm_state: Mapped[str] = mapped_column(String(16), default="unchecked")
    """A `CrmState`."""
    crm_checked_at: Mapped[datetime | None]
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
    __table_args__ = (
        UniqueConstraint("organization_id", "crm_user_id"),
        # An id is never used twice: a message may still name one that was deleted.
        {"sqlite_autoincrement": True},
    )

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
        # As of a connection.
        {"sqlite_autoincrement": True},
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
