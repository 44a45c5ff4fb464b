"""What happens around text messages: reports, replies, second attempts, translations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "resend",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        _moment("asked_at"),
        _text("asked_by", 64),
        sa.PrimaryKeyConstraint("id", name="pk_resend"),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_resend_alert_id_alert"),
    )
    op.create_index("ix_resend_alert_id", "resend", ["alert_id"])
    op.create_table(
        "delivery",
        _text("provider", 16),
        _text("provider_id", 64),
        _text("status", 16),
        _text("detail", 200),
        _moment("at"),
        sa.PrimaryKeyConstraint("provider", "provider_id", name="pk_delivery"),
    )
    _replies()
    op.create_table(
        "translation",
        _text("service", 16),
        _text("target", 8),
        _text("original", 200),
        _text("translated", 800),
        _moment("made_at"),
        sa.PrimaryKeyConstraint("service", "target", "original", name="pk_translation"),
    )
    op.create_index("ix_translation_made_at", "translation", ["made_at"])


def downgrade() -> None:
    """Drop the tables; the messages themselves stay."""
    for table in ("translation", "reply", "delivery", "resend"):
        op.drop_table(table)


def _replies() -> None:
    op.create_table(
        "reply",
        _text("provider", 16),
        _text("provider_id", 64),
        _moment("at"),
        _text("phone", 16),
        _text("recipient", 64),
        _text("text", 400),
        _text("meaning", 16),
        _text("effect", 16),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("provider", "provider_id", name="pk_reply"),
    )


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)
