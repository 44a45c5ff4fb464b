"""Networks and browsers of refused logins, and the browsers that have logged in before."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; logins refused before count by account alone."""
    for name in ("network", "browser"):
        op.add_column("login_failure", sa.Column(name, sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_login_failure_name_at", "login_failure", ["name", "at"])
    op.create_index("ix_login_failure_network_at", "login_failure", ["network", "at"])
    op.create_table(
        "known_browser",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_known_browser_account_id_account", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", "account_id", name="pk_known_browser"),
    )
    op.create_index("ix_known_browser_account_id", "known_browser", ["account_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("known_browser")
    op.drop_index("ix_login_failure_network_at", "login_failure")
    op.drop_index("ix_login_failure_name_at", "login_failure")
    for name in ("browser", "network"):
        op.drop_column("login_failure", name)
