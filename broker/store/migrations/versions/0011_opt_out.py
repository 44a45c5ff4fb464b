"""When a recipient wrote STOP."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody has stopped yet."""
    op.add_column("contact", sa.Column("stopped_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("contact", "stopped_at")
