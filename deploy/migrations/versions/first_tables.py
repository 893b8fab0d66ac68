"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were then: a revision must not change with the types of the package.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEALED = sa.Text()


def upgrade() -> None:
    """Create all tables."""
    _create_parties()
    _create_records()
    _create_history()
    _create_messages()


def downgrade() -> None:
    """Drop all tables."""
    for name in (
        "messages",
        "dead_letters",
        "budgets",
        "previews",
        "orphans",
        "searches",
        "job_items",
        "jobs",
        "conflicts",
        "copies",
        "links",
        "held_deletions",
        "channels",
        "calendars",
        "oauth_states",
        "login_codes",
        "api_tokens",
        "connections",
        "crm_users",
        "organizations",
    ):
        op.drop_table(name)


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def _create_parties() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("crm_url", sa.String(), nullable=False),
        sa.Column("crm_api_key", SEALED, nullable=False),
        sa.Column("crm_webhook_secrets", SEALED, nullable=False),
        sa.Column("launch_secret", SEALED),
        sa.Column("google_client_id", sa.String()),
        sa.Column("google_client_secret", SEALED),
        sa.Column("google_app_state", sa.String(), nullable=False),
        sa.Column("google_connected_as", sa.String()),
        sa.Column("google_checked_at", INSTANT),
        sa.Column("probed_at", INSTANT),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("crm_cursor", INSTANT),
        sa.Column("crm_polled_at", INSTANT),
        sa.Column("crm_skew_seconds", sa.Double(), nullable=False),
        sa.Column("crm_state", sa.String(length=16), nullable=False),
        sa.Column("crm_checked_at", INSTANT),
        sa.Column("users_read_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("name", name="uq_organizations_name"),
    )
    op.create_table(
        "crm_users",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("time_zone", sa.String()),
        sa.Column("active", sa.Boolean(), nullable=False),
        _refers("crm_users", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name="pk_crm_users"),
    )
    op.create_index("ix_crm_users_email", "crm_users", ["email"])
    op.create_table(
        "connections",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("crm_user_id", sa.String(), nullable=False),
        sa.Column("google_sub", sa.String()),
        sa.Column("google_address", sa.String()),
        sa.Column("refresh_token", SEALED),
        sa.Column("access_token", SEALED),
        sa.Column("access_token_expires_at", INSTANT),
        sa.Column("granted_scopes", JSON, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("problem", sa.String(length=32)),
        sa.Column("probed_at", INSTANT),
        sa.Column("google_skew_seconds", sa.Double(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("consented_at", INSTANT),
        sa.Column("connected_at", INSTANT),
        sa.Column("last_sync_at", INSTANT),
        _refers("connections", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint(
            "organization_id",
            "crm_user_id",
            name="uq_connections_organization_id_crm_user_id",
        ),
    )
    op.create_index("ix_connections_google_address", "connections", ["google_address"])
    op.create_table(
        "api_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("crm_user_id", sa.String()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        _refers("api_tokens", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_table(
        "login_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("crm_user_id", sa.String()),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        _refers("login_codes", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_login_codes"),
    )
    op.create_table(
        "oauth_states",
        sa.Column("state_hash", sa.String(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("crm_user_id", sa.String()),
        sa.Column("code_verifier", SEALED, nullable=False),
        sa.Column("waits_for_start", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        _refers("oauth_states", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("state_hash", name="pk_oauth_states"),
    )


def _create_records() -> None:
    op.create_table(
        "calendars",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("google_sub", sa.String(), nullable=False),
        sa.Column("google_calendar_id", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("access_role", sa.String(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.Column("sync_token", sa.Text()),
        sa.Column("tasks_seen_until", INSTANT),
        sa.Column("window_until", INSTANT),
        sa.Column("moved_on_at", INSTANT),
        sa.Column("listed_at", INSTANT),
        sa.Column("requested", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("polled_at", INSTANT),
        sa.Column("watch_refused", sa.Boolean(), nullable=False),
        _refers("calendars", "connection_id", "connections"),
        sa.PrimaryKeyConstraint("id", name="pk_calendars"),
        sa.UniqueConstraint(
            "connection_id",
            "google_sub",
            "google_calendar_id",
            name="uq_calendars_connection_id_google_sub_google_calendar_id",
        ),
    )
    op.create_table(
        "channels",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("calendar_id", ID, nullable=False),
        sa.Column("resource_id", sa.String()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("renew_at", INSTANT),
        sa.Column("expires_at", INSTANT),
        sa.Column("last_notified_at", INSTANT),
        _refers("channels", "calendar_id", "calendars"),
        sa.PrimaryKeyConstraint("id", name="pk_channels"),
    )
    op.create_index("ix_channels_calendar_id", "channels", ["calendar_id"])
    op.create_table(
        "held_deletions",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT),
        _refers("held_deletions", "organization_id", "organizations"),
        _refers("held_deletions", "connection_id", "connections"),
        sa.PrimaryKeyConstraint("id", name="pk_held_deletions"),
    )
    op.create_index(
        "ix_held_deletions_organization_id", "held_deletions", ["organization_id"]
    )
    op.create_table(
        "links",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("task_id", sa.String()),
        sa.Column("ical_uid", sa.String()),
        sa.Column("original_start", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("calendar_id", ID),
        sa.Column("event_id", sa.String()),
        sa.Column("led_for", sa.String()),
        sa.Column("baseline", JSON),
        sa.Column("task", JSON),
        sa.Column("task_version", ID),
        sa.Column("task_changed_at", INSTANT),
        sa.Column("pending_since", INSTANT),
        sa.Column("written", sa.String(length=16)),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("turned_at", INSTANT),
        sa.Column("quarantined_until", INSTANT),
        sa.Column("held_deletion_id", ID),
        sa.Column("held_guests", JSON, nullable=False),
        sa.Column("guests_due_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        _refers("links", "calendar_id", "calendars"),
        _refers("links", "held_deletion_id", "held_deletions"),
        _refers("links", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint(
            "organization_id",
            "ical_uid",
            "original_start",
            name="uq_links_organization_id_ical_uid_original_start",
        ),
        sa.UniqueConstraint(
            "organization_id", "task_id", name="uq_links_organization_id_task_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_links_held_deletion_id", "links", ["held_deletion_id"])
    op.create_index("ix_links_guests_due_at", "links", ["guests_due_at"])
    op.create_index(
        "ix_links_calendar_id_event_id", "links", ["calendar_id", "event_id"]
    )
    op.create_index(
        "ix_links_organization_id_event_id",
        "links",
        ["organization_id", "event_id"],
    )
    op.create_index("ix_links_state_pending_since", "links", ["state", "pending_since"])
    op.create_table(
        "copies",
        sa.Column("id", ID, nullable=False),
        sa.Column("calendar_id", ID, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("link_id", ID),
        sa.Column("ical_uid", sa.String()),
        sa.Column("original_start", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("settled_etag", sa.String()),
        sa.Column("document", JSON, nullable=False),
        sa.Column("event_updated_at", INSTANT),
        sa.Column("starts_at", INSTANT),
        sa.Column("is_series", sa.Boolean(), nullable=False),
        sa.Column("series_id", sa.String()),
        sa.Column("changed_at", INSTANT),
        _refers("copies", "calendar_id", "calendars"),
        _refers("copies", "link_id", "links"),
        sa.PrimaryKeyConstraint("id", name="pk_copies"),
        sa.UniqueConstraint(
            "calendar_id", "event_id", name="uq_copies_calendar_id_event_id"
        ),
    )
    op.create_index(
        "ix_copies_calendar_id_series_id", "copies", ["calendar_id", "series_id"]
    )
    op.create_index(
        "ix_copies_calendar_id_starts_at", "copies", ["calendar_id", "starts_at"]
    )
    op.create_index("ix_copies_ical_uid", "copies", ["ical_uid"])
    op.create_index("ix_copies_link_id", "copies", ["link_id"])
    op.create_table(
        "conflicts",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=False),
        sa.Column("crm_user_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("baseline", JSON),
        sa.Column("crm", JSON),
        sa.Column("google", JSON),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("choice", JSON),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        _refers("conflicts", "link_id", "links"),
        _refers("conflicts", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_conflicts"),
    )
    op.create_index("ix_conflicts_organization_id", "conflicts", ["organization_id"])
    op.create_index(
        "uq_conflicts_open",
        "conflicts",
        ["link_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _create_history() -> None:
    op.create_table(
        "budgets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("spent_until", INSTANT),
        sa.PrimaryKeyConstraint("name", name="pk_budgets"),
    )
    op.create_table(
        "previews",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("error", sa.Text()),
        sa.Column("counts", JSON),
        _refers("previews", "connection_id", "connections"),
        sa.PrimaryKeyConstraint("connection_id", name="pk_previews"),
    )
    op.create_table(
        "searches",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("error", sa.Text()),
        sa.Column("unread", JSON, nullable=False),
        _refers("searches", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("organization_id", name="pk_searches"),
    )
    op.create_table(
        "orphans",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("crm_user_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String()),
        sa.Column("event_id", sa.String()),
        sa.Column("title", sa.String()),
        sa.Column("calendar", sa.String()),
        sa.Column("like", sa.String()),
        sa.Column("repair", sa.String()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text()),
        _refers("orphans", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_orphans"),
    )
    op.create_index("ix_orphans_organization_id", "orphans", ["organization_id"])
    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("connection_id", ID),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("expected", sa.Integer()),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("processed", sa.Integer(), nullable=False),
        sa.Column("conflicts", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        _refers("jobs", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_connection_id", "jobs", ["connection_id"])
    op.create_index("ix_jobs_organization_id", "jobs", ["organization_id"])
    op.create_table(
        "job_items",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("connection_id", ID),
        sa.Column("link_id", ID),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String()),
        sa.Column("event_id", sa.String()),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("changes", JSON),
        sa.Column("crm", JSON),
        sa.Column("google", JSON),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT),
        _refers("job_items", "job_id", "jobs"),
        sa.PrimaryKeyConstraint("id", name="pk_job_items"),
        sa.UniqueConstraint(
            "job_id", "delivery_id", name="uq_job_items_job_id_delivery_id"
        ),
    )
    op.create_index("ix_job_items_link_id", "job_items", ["link_id"])
    op.create_index(
        "ix_job_items_connection_id_at", "job_items", ["connection_id", "at"]
    )
    op.create_index(
        "ix_job_items_organization_id_at", "job_items", ["organization_id", "at"]
    )
    op.create_index(
        "ix_job_items_organization_id_event_id",
        "job_items",
        ["organization_id", "event_id"],
    )
    op.create_index(
        "ix_job_items_organization_id_task_id",
        "job_items",
        ["organization_id", "task_id"],
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("task_id", sa.String()),
        sa.Column("event_id", sa.String()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sa.UniqueConstraint("delivery_id", name="uq_dead_letters_delivery_id"),
    )
    op.create_index(
        "ix_dead_letters_organization_id", "dead_letters", ["organization_id"]
    )
    op.create_index("ix_dead_letters_reason", "dead_letters", ["reason"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("claimant", sa.String(length=64)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_messages_next", "messages", ["queue", "available_at"])
