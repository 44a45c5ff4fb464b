"""Indexes by which captions and messages are deleted without looking through all messages for each."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_alert_caption_id", "alert", ["caption_id"])
    op.create_index("ix_alert_told_in", "alert", ["told_in"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("ix_alert_told_in", "alert")
    op.drop_index("ix_alert_caption_id", "alert")
