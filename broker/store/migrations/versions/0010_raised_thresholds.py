"""Thresholds that false alarms have raised."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; false alarms of before raise nothing."""
    op.create_table(
        "raised_threshold",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(63), nullable=False) for name in ("site", "device", "stream")),
        sa.Column("danger", sa.String(32), nullable=False),
        sa.Column("evidence", sa.Float(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(64), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_raised_threshold"),
    )
    op.create_index("ix_raised_threshold_until", "raised_threshold", ["until"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("raised_threshold")
