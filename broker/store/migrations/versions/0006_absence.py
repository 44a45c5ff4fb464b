"""Incidents of devices that are missed, which no caption tells of; when a device spoke, changed, and last saw."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENTS = ("said_at", "changed_at", "frames_at")


def upgrade() -> None:
    """Let incidents and text messages be without a caption."""
    for name in MOMENTS:
        op.add_column("device", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("lost", sa.JSON(), nullable=False, server_default="[]"))
    if op.get_bind().dialect.name == "sqlite":
        _swap("incident")
        _rebuild_alert(nullable=True)
    else:
        for table in ("incident", "alert"):
            op.alter_column(table, "caption_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    """Take the columns away, with the incidents and the text messages that have no caption."""
    bind = op.get_bind()
    gone = "SELECT id FROM incident WHERE caption_id IS NULL"
    unsaid = "SELECT id FROM alert WHERE caption_id IS NULL"
    bind.execute(sa.text("UPDATE alert SET told_in = NULL WHERE told_in IN (" + unsaid + ")"))  # noqa: S608 - constants
    bind.execute(sa.text("DELETE FROM resend WHERE alert_id IN (" + unsaid + ")"))  # noqa: S608 - constants
    bind.execute(sa.text("DELETE FROM alert WHERE caption_id IS NULL"))
    bind.execute(sa.text("DELETE FROM incident_event WHERE incident_id IN (" + gone + ")"))  # noqa: S608 - constants
    bind.execute(sa.text("DELETE FROM incident WHERE caption_id IS NULL"))
    if bind.dialect.name == "sqlite":
        _swap("incident", default="0")
        _rebuild_alert(nullable=False)
    else:
        for table in ("incident", "alert"):
            op.alter_column(table, "caption_id", existing_type=sa.Integer(), nullable=False)
    op.drop_column("incident", "lost")
    for name in MOMENTS:
        op.drop_column("device", name)


def _swap(table: str, *, default: str | None = None) -> None:
    """Put a column that may be null, or not, in place of `caption_id`, without making the table anew.

    Others refer to its rows, and SQLite lets nobody drop a table that is referred to.
    """
    op.add_column(table, sa.Column("caption", sa.Integer(), nullable=default is None, server_default=default))
    op.execute(f"UPDATE {table} SET caption = caption_id")  # noqa: S608 - a constant
    op.execute(f"ALTER TABLE {table} DROP COLUMN caption_id")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN caption TO caption_id")


def _rebuild_alert(*, nullable: bool) -> None:
    """Make the table anew, because the column refers to captions; what refers to its rows is set aside meanwhile."""
    bind = op.get_bind()
    told = bind.execute(sa.text("SELECT id, told_in FROM alert WHERE told_in IS NOT NULL")).all()
    again = bind.execute(sa.text("SELECT id, alert_id, asked_at, asked_by FROM resend")).all()
    bind.execute(sa.text("UPDATE alert SET told_in = NULL"))
    bind.execute(sa.text("DELETE FROM resend"))
    with op.batch_alter_table("alert") as alert:
        alert.alter_column("caption_id", existing_type=sa.Integer(), nullable=nullable)
    for row in told:
        bind.execute(sa.text("UPDATE alert SET told_in = :told_in WHERE id = :id"), row._asdict())
    insert = "INSERT INTO resend (id, alert_id, asked_at, asked_by) VALUES (:id, :alert_id, :asked_at, :asked_by)"
    for row in again:
        bind.execute(sa.text(insert), row._asdict())
