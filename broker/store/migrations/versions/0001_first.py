"""The first tables: captions, decisions, alerts, devices, refusals."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _captions()
    _decisions()
    _alerts()
    _devices()
    _refusals()


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in ("refusal", "device", "alert", "decision", "caption"):
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)


def _captions() -> None:
    op.create_table(
        "caption",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("source", 160),
        _text("event_id", 64),
        _text("site", 63),
        _text("device", 63),
        _text("stream", 63),
        sa.Column("seq", sa.Integer(), nullable=False),
        _moment("captured_at"),
        _moment("received_at"),
        _text("text", 200),
        _text("language", 16),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("hazards", sa.JSON(), nullable=False),
        _text("model", 64),
        sa.PrimaryKeyConstraint("id", name="pk_caption"),
        sa.UniqueConstraint("source", "event_id", name="uq_caption_source"),
    )
    op.create_index("ix_caption_site_captured_at", "caption", ["site", "captured_at"])


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("caption_id", sa.Integer(), nullable=False),
        _text("rule", 63),
        _text("outcome", 16),
        _text("because", 400),
        _moment("decided_at"),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sa.ForeignKeyConstraint(["caption_id"], ["caption.id"], name="fk_decision_caption_id_caption"),
    )
    op.create_index("ix_decision_caption_id", "decision", ["caption_id"])


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("caption_id", sa.Integer(), nullable=False),
        _text("rule", 63),
        _text("site", 63),
        _text("severity", 16),
        _text("recipient", 64),
        _text("phone", 16),
        _text("language", 8),
        _text("state", 8),
        _text("text", 1600),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("created_at"),
        _moment("due_at"),
        _moment("tried_at", nullable=True),
        _moment("sent_at", nullable=True),
        _text("provider", 16),
        _text("provider_id", 64),
        _text("error", 400),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.ForeignKeyConstraint(["caption_id"], ["caption.id"], name="fk_alert_caption_id_caption"),
        sa.UniqueConstraint("caption_id", "rule", "recipient", name="uq_alert_caption_id"),
    )
    op.create_index("ix_alert_state_due_at", "alert", ["state", "due_at"])
    op.create_index("ix_alert_rule_site_state", "alert", ["rule", "site", "state"])


def _devices() -> None:
    op.create_table(
        "device",
        _text("site", 63),
        _text("device", 63),
        _text("state", 8),
        _moment("since"),
        _moment("heard_at"),
        _text("reason", 120),
        _text("version", 32),
        _text("model", 64),
        sa.Column("ledger", sa.JSON(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site", "device", name="pk_device"),
    )


def _refusals() -> None:
    op.create_table(
        "refusal",
        _text("reason", 32),
        _text("topic", 200),
        sa.Column("count", sa.Integer(), nullable=False),
        _moment("first_at"),
        _moment("last_at"),
        _text("detail", 400),
        sa.Column("sample", sa.LargeBinary(512), nullable=False),
        sa.PrimaryKeyConstraint("reason", "topic", name="pk_refusal"),
    )
