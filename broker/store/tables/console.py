"""The tables of the console: accounts, the audit log, what search looks at, and where devices are on the plan."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from broker.store.tables.core import Moment, Number, metadata

account: Final = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("password", String(200), nullable=False),
    Column("password_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)
"""Someone who may log in. `password` is an argon2id hash with its parameters; the password itself is nowhere."""

web_session: Final = Table(
    "web_session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("address", String(64), nullable=False),
)
"""One login of one browser. Its cookie holds the word whose SHA-256 is here: a copied database opens nothing."""

api_token: Final = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("label", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)
"""A word by which a program speaks for an account; only its SHA-256 is kept."""

login_failure: Final = Table(
    "login_failure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("name", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("network", String(64), nullable=False, server_default=""),
    Column("browser", String(64), nullable=False, server_default=""),
    Index("ix_login_failure_at", "at"),
    Index("ix_login_failure_name_at", "name", "at"),
    Index("ix_login_failure_network_at", "network", "at"),
)
"""A login that was refused or is being decided, for as long as it counts against the next one. `network` is the /64 of
an IPv6 address; `browser` is the digest of the cookie of a browser that the account knows, and "" for any other."""

known_browser: Final = Table(
    "known_browser",
    metadata,
    Column("digest", String(64), nullable=False),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
    PrimaryKeyConstraint("digest", "account_id"),
)
"""A browser that has logged in to an account. Its cookie holds the word whose SHA-256 is here, as a session's does."""

audit: Final = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", String(400), nullable=False),
)
"""Who did what, from where. Rows are only added."""

caption_words: Final = Table(
    "caption_words",
    metadata,
    Column("caption_id", ForeignKey("caption.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("translated", String(400), nullable=False),
    Column("words", Text, nullable=False),
)
"""What search looks at: the stems of a caption and of its translation, and the translation; "" where there is none."""

caption_rollup: Final = Table(
    "caption_rollup",
    metadata,
    Column("site", String(63), nullable=False),
    Column("quarter_at", Moment, nullable=False),
    Column("captions", Number, nullable=False),
    Column("dangers", Number, nullable=False),
    Column("first_id", Number, nullable=False),
    Column("last_id", Number, nullable=False),
    PrimaryKeyConstraint("site", "quarter_at"),
)
"""Captions of a site that were taken in a quarter of an hour, and those of them that a rule fired on: counted when
search gets to know them, and taken off when they are deleted. The ids enclose theirs. Every time zone's hours and days
begin with a quarter of an hour."""

ledger_sample: Final = Table(
    "ledger_sample",
    metadata,
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("hour", Moment, nullable=False),
    Column("sent_bytes", BigInteger, nullable=False),
    Column("video_bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "device", "hour"),
)
"""A device's ledger as it stood at the end of an hour: words sent against the video they stand for, counted up."""

plan: Final = Table(
    "plan",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("picture", LargeBinary, nullable=False),
    Column("uploaded_at", Moment, nullable=False),
)
"""The drawing of a site that an administrator has uploaded; `kind` is its media type, width and height are pixels."""

plan_place: Final = Table(
    "plan_place",
    metadata,
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    PrimaryKeyConstraint("site", "device"),
)
"""Where a device is on the plan of its site: shares of the width and the height, from the upper left corner."""
