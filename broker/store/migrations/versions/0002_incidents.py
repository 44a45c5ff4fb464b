"""Incidents with their timeline, silences and contacts; text messages that belong to incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and give the text messages of old their keys."""
    op.create_index("ix_caption_source_captured_at", "caption", ["source", "captured_at"])
    _incidents()
    _events()
    _silences()
    _contacts()
    _decisions()
    _alerts()


def downgrade() -> None:
    """Drop the tables; decisions and text messages stay, without what they knew of incidents."""
    with op.batch_alter_table("alert") as alert:
        for index in ("ix_alert_incident_id", "ix_alert_recipient_created_at"):
            alert.drop_index(index)
        for constraint in ("uq_alert_key", "fk_alert_incident_id_incident", "fk_alert_told_in_alert"):
            alert.drop_constraint(constraint)
        for column in ("key", "kind", "incident_id", "because", "facts", "told_in", "link_used_at"):
            alert.drop_column(column)
        alert.create_index("ix_alert_rule_site_state", ["rule", "site", "state"])
    with op.batch_alter_table("decision") as decision:
        decision.drop_index("ix_decision_incident_id")
        decision.drop_constraint("fk_decision_incident_id_incident")
        decision.drop_column("incident_id")
    for table in ("contact", "silence", "incident_event", "incident"):
        op.drop_table(table)
    op.drop_index("ix_caption_source_captured_at", "caption")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _incidents() -> None:
    op.create_table(
        "incident",
        _number("id"),
        _text("site", 63),
        _text("danger", 63),
        sa.Column("open_key", sa.String(127), nullable=True),
        _text("rule", 63),
        _text("severity", 16),
        _text("state", 16),
        _moment("opened_at"),
        _moment("seen_at"),
        _number("sightings"),
        sa.Column("cameras", sa.JSON(), nullable=False),
        _number("caption_id"),
        _number("tellings"),
        sa.Column("told", sa.JSON(), nullable=False),
        _number("step"),
        _moment("stepped_at", nullable=True),
        _moment("acknowledged_at", nullable=True),
        _text("acknowledged_by", 64),
        _text("acknowledged_how", 16),
        _moment("closed_at", nullable=True),
        _text("closed_by", 64),
        _moment("due_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("open_key", name="uq_incident_open_key"),
    )
    op.create_index("ix_incident_due_at", "incident", ["due_at"])
    op.create_index("ix_incident_site_danger_closed_at", "incident", ["site", "danger", "closed_at"])


def _events() -> None:
    op.create_table(
        "incident_event",
        _number("id"),
        _number("incident_id"),
        _moment("at"),
        _text("kind", 16),
        _text("by", 64),
        _text("detail", 400),
        _number("caption_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident_event"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_event_incident_id_incident"),
    )
    op.create_index("ix_incident_event_incident_id", "incident_event", ["incident_id"])


def _silences() -> None:
    op.create_table(
        "silence",
        _number("id"),
        _text("author", 64),
        _text("reason", 400),
        sa.Column("matchers", sa.JSON(), nullable=False),
        _moment("created_at"),
        _moment("starts_at"),
        _moment("ends_at"),
        _text("ended_by", 64),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
    )
    op.create_index("ix_silence_ends_at", "silence", ["ends_at"])


def _contacts() -> None:
    op.create_table(
        "contact",
        _text("name", 64),
        _moment("away_until", nullable=True),
        _text("away_because", 400),
        _moment("heard_at", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_contact"),
    )


def _decisions() -> None:
    with op.batch_alter_table("decision") as decision:
        decision.add_column(_number("incident_id", nullable=True))
        decision.create_foreign_key("fk_decision_incident_id_incident", "incident", ["incident_id"], ["id"])
        decision.create_index("ix_decision_incident_id", ["incident_id"])


def _alerts() -> None:
    # SQLite rebuilds the table in every batch, so what old rows lack is filled in between two of them.
    with op.batch_alter_table("alert") as alert:
        alert.drop_index("ix_alert_rule_site_state")
        alert.drop_constraint("uq_alert_caption_id")
        alert.add_column(sa.Column("key", sa.String(160), nullable=True))
        alert.add_column(sa.Column("kind", sa.String(16), nullable=True))
        alert.add_column(_number("incident_id", nullable=True))
        alert.add_column(sa.Column("because", sa.String(400), nullable=True))
        alert.add_column(sa.Column("facts", sa.JSON(), nullable=True))
        alert.add_column(_number("told_in", nullable=True))
        alert.add_column(_moment("link_used_at", nullable=True))
    alert_table = sa.table(
        "alert",
        sa.column("id", sa.Integer),
        *(sa.column(name, sa.String) for name in ("key", "kind", "because")),
        sa.column("facts", sa.JSON),
    )
    key = sa.literal("old/") + sa.cast(alert_table.c.id, sa.String)
    op.execute(alert_table.update().values(key=key, kind="first", because="", facts=sa.literal({}, sa.JSON())))
    with op.batch_alter_table("alert") as alert:
        for name, length in (("key", 160), ("kind", 16), ("because", 400)):
            alert.alter_column(name, existing_type=sa.String(length), nullable=False)
        alert.alter_column("facts", existing_type=sa.JSON(), nullable=False)
        alert.create_unique_constraint("uq_alert_key", ["key"])
        alert.create_foreign_key("fk_alert_incident_id_incident", "incident", ["incident_id"], ["id"])
        alert.create_foreign_key("fk_alert_told_in_alert", "alert", ["told_in"], ["id"])
        alert.create_index("ix_alert_incident_id", ["incident_id"])
        alert.create_index("ix_alert_recipient_created_at", ["recipient", "created_at"])
