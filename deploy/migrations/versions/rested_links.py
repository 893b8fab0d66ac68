"""An index to find the links whose quarantine is over."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_links_quarantined_until", "links", ["quarantined_until"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_links_quarantined_until", "links")
