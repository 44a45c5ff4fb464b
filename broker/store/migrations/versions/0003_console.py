"""What the console needs: accounts, sessions, the audit log, the words that search looks at, plans of the sites."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FTS = """
CREATE VIRTUAL TABLE caption_fts USING fts5(
  words, content='caption_words', content_rowid='caption_id', tokenize='unicode61 remove_diacritics 0')
"""
ADDED = """
CREATE TRIGGER caption_words_added AFTER INSERT ON caption_words BEGIN
  INSERT INTO caption_fts(rowid, words) VALUES (new.caption_id, new.words);
END
"""
GONE = """
CREATE TRIGGER caption_words_gone AFTER DELETE ON caption_words BEGIN
  INSERT INTO caption_fts(caption_fts, rowid, words) VALUES ('delete', old.caption_id, old.words);
END
"""
GIN = "CREATE INDEX ix_caption_words_words ON caption_words USING gin (array_to_tsvector(string_to_array(words, ' ')))"


def upgrade() -> None:
    """Make the tables, and the full-text index that this database has."""
    _accounts()
    _logins()
    _audit()
    _search()
    _plans()


def downgrade() -> None:
    """Drop the tables; captions and incidents stay."""
    op.execute("DROP TABLE IF EXISTS caption_fts")
    for table in (
        *("plan_place", "plan", "ledger_sample", "caption_words", "audit", "login_failure"),
        *("api_token", "web_session", "account"),
    ):
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_account_id_account"
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=name, ondelete="CASCADE")


def _accounts() -> None:
    op.create_table(
        "account",
        _number("id"),
        _text("name", 64),
        _text("role", 16),
        _text("language", 8),
        _text("password", 200),
        _moment("password_at"),
        _moment("created_at"),
        _moment("disabled_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )


def _logins() -> None:
    op.create_table(
        "web_session",
        _text("digest", 64),
        _number("account_id"),
        _text("csrf", 64),
        _moment("created_at"),
        _moment("seen_at"),
        _text("address", 64),
        sa.PrimaryKeyConstraint("digest", name="pk_web_session"),
        _of_account("web_session"),
    )
    op.create_index("ix_web_session_account_id", "web_session", ["account_id"])
    op.create_table(
        "api_token",
        _number("id"),
        _number("account_id"),
        _text("label", 64),
        _text("digest", 64),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
        _of_account("api_token"),
    )
    op.create_index("ix_api_token_account_id", "api_token", ["account_id"])
    op.create_table(
        "login_failure",
        _number("id"),
        _moment("at"),
        _text("name", 64),
        _text("address", 64),
        sa.PrimaryKeyConstraint("id", name="pk_login_failure"),
    )
    op.create_index("ix_login_failure_at", "login_failure", ["at"])


def _audit() -> None:
    op.create_table(
        "audit",
        _number("id"),
        _moment("at"),
        _text("actor", 64),
        _text("address", 64),
        _text("action", 32),
        _text("subject", 120),
        _text("detail", 400),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _search() -> None:
    caption = sa.ForeignKeyConstraint(
        ["caption_id"], ["caption.id"], name="fk_caption_words_caption_id_caption", ondelete="CASCADE"
    )
    op.create_table(
        "caption_words",
        sa.Column("caption_id", sa.Integer(), autoincrement=False, nullable=False),
        _text("translated", 400),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("caption_id", name="pk_caption_words"),
        caption,
    )
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.execute(GIN)
    elif bind.dialect.name == "sqlite" and _has_fts5(bind):
        for statement in (FTS, ADDED, GONE):
            op.execute(statement)


def _has_fts5(bind: sa.Connection) -> bool:
    return bool(bind.exec_driver_sql("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'").scalar())


def _plans() -> None:
    op.create_table(
        "ledger_sample",
        _text("site", 63),
        _text("device", 63),
        _moment("hour"),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("video_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "device", "hour", name="pk_ledger_sample"),
    )
    op.create_table(
        "plan",
        _text("site", 63),
        _text("kind", 32),
        _number("width"),
        _number("height"),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        _moment("uploaded_at"),
        sa.PrimaryKeyConstraint("site", name="pk_plan"),
    )
    op.create_table(
        "plan_place",
        _text("site", 63),
        _text("device", 63),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("site", "device", name="pk_plan_place"),
    )
