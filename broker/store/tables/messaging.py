"""The tables around notifications: delivery reports, replies, resends, translations, and the leader's lease."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, String, Table

from broker.store.tables.core import Moment, metadata

resend: Final = Table(
    "resend",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Index("ix_resend_alert_id", "alert_id"),
)
"""Dead messages that someone asked to send again."""

delivery: Final = Table(
    "delivery",
    metadata,
    Column("provider", String(16), nullable=False),
    Column("provider_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("detail", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("provider", "provider_id"),
)
"""What a provider reported of a message last; reports that are behind what is known are left out."""

reply: Final = Table(
    "reply",
    metadata,
    Column("provider", String(16), nullable=False),
    Column("provider_id", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("phone", String(16), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("text", String(400), nullable=False),
    Column("meaning", String(16), nullable=False),
    Column("effect", String(16), nullable=False),
    Column("incident_id", Integer),
    PrimaryKeyConstraint("provider", "provider_id"),
)
"""Every answer by text message from someone we know, and what it did. A provider may hand one over twice."""

translation: Final = Table(
    "translation",
    metadata,
    Column("service", String(16), nullable=False),
    Column("target", String(8), nullable=False),
    Column("original", String(200), nullable=False),
    Column("translated", String(800), nullable=False),
    Column("made_at", Moment, nullable=False),
    PrimaryKeyConstraint("service", "target", "original"),
    Index("ix_translation_made_at", "made_at"),
)
"""What services translated before."""

lease: Final = Table(
    "lease",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("process", String(32), nullable=False),
    Column("place", String(128), nullable=False),
    Column("since", Moment),
    Column("beat_at", Moment),
)
"""The lease of the leader, one row, there from the start. `token` grows with each term, `beats` with each renewal;
`holder` is the name of the leading instance, or "" where there is none, `process` a random word that names its process,
`place` its machine. The times are by the holder's clock and only shown: nothing is decided by them."""
