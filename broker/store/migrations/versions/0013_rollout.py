"""To whom a model is offered, and what each device says of it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column; nothing is offered yet."""
    op.create_table(
        "rollout",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(160), nullable=False),
        sa.Column("device_class", sa.String(63), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("percent", sa.Float(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("because", sa.String(400), nullable=False),
        sa.Column("started_by", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollout"),
    )
    op.add_column("device", sa.Column("update_report", sa.JSON()))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("device", "update_report")
    op.drop_table("rollout")
