"""Each of several cameras of a device, what is wrong with their pictures, and what does not hold of its privacy."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = ("cameras", "conditions", "exposed")


def upgrade() -> None:
    """Add the columns; nothing is known yet."""
    for name in COLUMNS:
        op.add_column("device", sa.Column(name, sa.JSON()))
    op.add_column("device", sa.Column("evidence", sa.Boolean()))


def downgrade() -> None:
    """Drop them."""
    for name in ("evidence", *reversed(COLUMNS)):
        op.drop_column("device", name)
