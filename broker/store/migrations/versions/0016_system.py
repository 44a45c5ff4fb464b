"""Which system a device's card runs, and the last update of it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing is known yet."""
    op.add_column("device", sa.Column("system", sa.JSON()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("device", "system")
