"""Who is in view in a caption."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; captions of before say nothing of it."""
    op.add_column("caption", sa.Column("people", sa.Integer()))
    op.add_column("caption", sa.Column("visits", sa.JSON(none_as_null=True)))
    told = sa.text("visits IS NOT NULL")
    op.create_index("ix_caption_visits", "caption", ["id"], sqlite_where=told, postgresql_where=told)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_caption_visits", "caption")
    op.drop_column("caption", "visits")
    op.drop_column("caption", "people")
