"""Counts of captions by site and quarter of an hour; indexes by which pages find dangers and incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

QUARTER = {
    "sqlite": "strftime('%Y-%m-%d %H:', c.captured_at)"
    " || printf('%02d:00.000000', CAST(strftime('%M', c.captured_at) AS INTEGER) / 15 * 15)",
    "postgresql": "to_timestamp(floor(extract(epoch FROM c.captured_at) / 900) * 900)",
}
"""The beginning of the quarter of an hour of a caption, as each database keeps moments."""

FILL = """
INSERT INTO caption_rollup (site, quarter_at, captions, dangers, first_id, last_id)
SELECT c.site, {quarter} AS quarter_at, count(*),
  sum(CASE WHEN EXISTS (SELECT 1 FROM decision d WHERE d.caption_id = c.id AND d.outcome <> 'cancelled')
      THEN 1 ELSE 0 END),
  min(c.id), max(c.id)
FROM caption c JOIN caption_words w ON w.caption_id = c.id
WHERE c.text <> '' GROUP BY c.site, {quarter}
"""
"""Counts the captions that search knows: the console counts each when search gets to know it."""

INDEXES = (
    ("ix_decision_rule_caption_id", "decision", ["rule", "caption_id"]),
    ("ix_incident_opened_at_severity_site", "incident", ["opened_at", "severity", "site"]),
    ("ix_incident_state", "incident", ["state"]),
)


def upgrade() -> None:
    """Make the table, and count what is there."""
    op.create_table(
        "caption_rollup",
        sa.Column("site", sa.String(63), nullable=False),
        sa.Column("quarter_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)
            for name in ("captions", "dangers", "first_id", "last_id")
        ),
        sa.PrimaryKeyConstraint("site", "quarter_at", name="pk_caption_rollup"),
    )
    op.execute(FILL.format(quarter=QUARTER[op.get_bind().dialect.name]))
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Drop them."""
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table)
    op.drop_table("caption_rollup")
