"""What a device does not use, working with the last good one, and what is wrong with its clock."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nothing is known yet."""
    op.add_column("device", sa.Column("fallbacks", sa.JSON()))
    op.add_column("device", sa.Column("clock", sa.String(16)))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("device", "clock")
    op.drop_column("device", "fallbacks")
