"""Who is on duty; and room, on PostgreSQL, for more captions than 2^31."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WIDER = (
    *(("caption", "id"), ("caption", "seq"), ("decision", "id"), ("decision", "caption_id")),
    *(("alert", "id"), ("alert", "caption_id"), ("alert", "told_in"), ("resend", "alert_id")),
    *(("incident", "caption_id"), ("incident_event", "id"), ("incident_event", "caption_id")),
    *(("caption_words", "caption_id"), ("refusal", "count")),
)
"""Numbers of 32 bits on PostgreSQL that count captions, or what comes of them."""

COUNTED = ("caption", "decision", "alert", "incident_event")
"""Tables whose numbers PostgreSQL gives out by a sequence, which has a width of its own."""


def upgrade() -> None:
    """Make the table, with nobody on duty."""
    table = op.create_table(
        "lease",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("process", sa.String(32), nullable=False),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.bulk_insert(table, [{"name": "duty", "token": 0, "beats": 0, "holder": "", "process": "", "place": ""}])
    if op.get_bind().dialect.name == "postgresql":
        for name, column in WIDER:
            op.alter_column(name, column, type_=sa.BigInteger(), existing_type=sa.Integer())
        for name in COUNTED:
            op.execute(f"ALTER SEQUENCE {name}_id_seq AS bigint")


def downgrade() -> None:
    """Drop the table; numbers stay as wide as they are, for there may be some that need it."""
    op.drop_table("lease")
