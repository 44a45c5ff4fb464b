"""The tables of the database, as SQLAlchemy Core sees them."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; databases without time zones (SQLite) keep it as plain UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base's
        """Refuse a time without a zone, which would be read back as another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        """Give the time back as aware UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Names of constraints are spelt out, so that a later migration can change them."""

caption: Final = Table(
    "caption",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(160), nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("stream", String(63), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("captured_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("text", String(200), nullable=False),
    Column("language", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("hazards", JSON, nullable=False),
    Column("model", String(64), nullable=False),
    UniqueConstraint("source", "event_id"),
    Index("ix_caption_site_captured_at", "site", "captured_at"),
)
"""Every caption once: CloudEvents says that `source` and `id` together are unique."""

decision: Final = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("caption_id", ForeignKey("caption.id"), nullable=False, index=True),
    Column("rule", String(63), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("because", String(400), nullable=False),
    Column("decided_at", Moment, nullable=False),
)
"""What each rule that a caption concerned made of it, and why."""

alert: Final = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("caption_id", ForeignKey("caption.id"), nullable=False),
    Column("rule", String(63), nullable=False),
    Column("site", String(63), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("phone", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("text", String(1600), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("sent_at", Moment),
    Column("provider", String(16), nullable=False, default=""),
    Column("provider_id", String(64), nullable=False, default=""),
    Column("error", String(400), nullable=False, default=""),
    UniqueConstraint("caption_id", "rule", "recipient"),
    Index("ix_alert_state_due_at", "state", "due_at"),
    Index("ix_alert_rule_site_state", "rule", "site", "state"),
)
"""One text message to one person: the intent is here before anything is sent."""

device: Final = Table(
    "device",
    metadata,
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("state", String(8), nullable=False),
    Column("since", Moment, nullable=False),
    Column("heard_at", Moment, nullable=False),
    Column("reason", String(120), nullable=False),
    Column("version", String(32), nullable=False),
    Column("model", String(64), nullable=False),
    Column("ledger", JSON, nullable=False),
    Column("stages", JSON, nullable=False),
    PrimaryKeyConstraint("site", "device"),
)
"""The last word of every device about itself."""

refusal: Final = Table(
    "refusal",
    metadata,
    Column("reason", String(32), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("detail", String(400), nullable=False),
    Column("sample", LargeBinary(512), nullable=False),
    PrimaryKeyConstraint("reason", "topic"),
)
"""Messages that do not keep the contract: how many, and the beginning of the last one."""
