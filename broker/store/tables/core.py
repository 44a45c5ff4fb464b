"""The tables of the database, as SQLAlchemy Core sees them."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
    text,
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
        """Return the time back as aware UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


Number: Final = BigInteger().with_variant(Integer, "sqlite")
"""Counts captions and what comes of them: a hundred cameras pass 2^31 within a year. SQLite's integers have 64 bits."""

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Names of constraints are written out, so that a later migration can change them."""

caption: Final = Table(
    "caption",
    metadata,
    Column("id", Number, primary_key=True),
    Column("source", String(160), nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("stream", String(63), nullable=False),
    Column("seq", Number, nullable=False),
    Column("captured_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("text", String(200), nullable=False),
    Column("language", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("hazards", JSON, nullable=False),
    Column("model", String(64), nullable=False),
    Column("people", Integer),
    Column("visits", JSON(none_as_null=True)),
    UniqueConstraint("source", "event_id"),
    Index("ix_caption_site_captured_at", "site", "captured_at"),
    Index("ix_caption_source_captured_at", "source", "captured_at"),
    Index(
        "ix_caption_visits", "id", sqlite_where=text("visits IS NOT NULL"), postgresql_where=text("visits IS NOT NULL")
    ),
)
"""Every caption once: CloudEvents says that `source` and `id` together are unique. `people` and `visits` are null where
the device follows nobody, or nobody is in view."""

incident: Final = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(63), nullable=False),
    Column("danger", String(63), nullable=False),
    Column("open_key", String(127), unique=True),
    Column("rule", String(63), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("sightings", Integer, nullable=False),
    Column("cameras", JSON, nullable=False),
    Column("caption_id", Number),
    Column("lost", JSON, nullable=False, server_default="[]"),
    Column("tellings", Integer, nullable=False),
    Column("told", JSON, nullable=False),
    Column("step", Integer, nullable=False),
    Column("stepped_at", Moment),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", String(64), nullable=False),
    Column("acknowledged_how", String(16), nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", String(64), nullable=False),
    Column("due_at", Moment),
    Index("ix_incident_due_at", "due_at"),
    Index("ix_incident_site_danger_closed_at", "site", "danger", "closed_at"),
    Index("ix_incident_opened_at_severity_site", "opened_at", "severity", "site"),
    Index("ix_incident_state", "state"),
)
"""One danger at one site from its first sighting to its end, over all cameras. `open_key` is `site/danger` while it is
open and null afterwards: the database itself keeps a second one from being opened. `caption_id` is the last caption;
where devices are lost there is none, and `lost` names them."""

incident_event: Final = Table(
    "incident_event",
    metadata,
    Column("id", Number, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(64), nullable=False),
    Column("detail", String(400), nullable=False),
    Column("caption_id", Number),
)
"""What happened to an incident, in order, and why."""

silence: Final = Table(
    "silence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author", String(64), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("matchers", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    Column("ended_by", String(64), nullable=False),
)
"""Dangers that send no notifications for a while. One that is ended early keeps its row, with `ends_at` set to then."""

raised_threshold: Final = Table(
    "raised_threshold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("stream", String(63), nullable=False),
    Column("danger", String(32), nullable=False),
    Column("evidence", Float, nullable=False),
    Column("incident_id", Integer, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("until", Moment, nullable=False, index=True),
    Column("ended_by", String(64), nullable=False),
    Column("sent_at", Moment),
)
"""Dangers that count at a camera only above the evidence of a false alarm, until a moment. One that is taken back keeps
its row, with `until` moved to now; `sent_at` is empty while its device has not been sent the change."""

contact: Final = Table(
    "contact",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("away_until", Moment),
    Column("away_because", String(400), nullable=False),
    Column("heard_at", Moment),
    Column("stopped_at", Moment),
)
"""What is known of a recipient of `broker.yaml` beyond what stands there."""

decision: Final = Table(
    "decision",
    metadata,
    Column("id", Number, primary_key=True),
    Column("caption_id", ForeignKey("caption.id"), nullable=False, index=True),
    Column("rule", String(63), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("because", String(400), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("incident_id", ForeignKey("incident.id"), index=True),
    Index("ix_decision_rule_caption_id", "rule", "caption_id"),
)
"""What each rule that a caption concerned made of it, and why."""

alert: Final = Table(
    "alert",
    metadata,
    Column("id", Number, primary_key=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("incident_id", ForeignKey("incident.id"), index=True),
    Column("caption_id", ForeignKey("caption.id"), index=True),
    Column("rule", String(63), nullable=False),
    Column("site", String(63), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("phone", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("because", String(400), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("told_in", ForeignKey("alert.id"), index=True),
    Column("text", String(1600), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("sent_at", Moment),
    Column("provider", String(16), nullable=False, default=""),
    Column("provider_id", String(64), nullable=False, default=""),
    Column("error", String(400), nullable=False, default=""),
    Column("link_used_at", Moment),
    Index("ix_alert_state_due_at", "state", "due_at"),
    Index("ix_alert_recipient_created_at", "recipient", "created_at"),
)
"""One text message to one person: the intent is here before anything is sent. `key` names the intent, so that it cannot
be written twice; `because` is why it was queued or deferred; `told_in` is the digest that covers it."""

device: Final = Table(
    "device",
    metadata,
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("state", String(8), nullable=False),
    Column("since", Moment, nullable=False),
    Column("heard_at", Moment, nullable=False),
    Column("said_at", Moment),
    Column("changed_at", Moment),
    Column("frames_at", Moment),
    Column("reason", String(120), nullable=False),
    Column("version", String(32), nullable=False),
    Column("model", String(64), nullable=False),
    Column("ledger", JSON, nullable=False),
    Column("stages", JSON, nullable=False),
    Column("update_report", JSON(none_as_null=True)),
    Column("fallbacks", JSON(none_as_null=True)),
    Column("clock", String(16)),
    Column("cameras", JSON(none_as_null=True)),
    Column("conditions", JSON(none_as_null=True)),
    Column("exposed", JSON(none_as_null=True)),
    Column("evidence", Boolean),
    Column("system", JSON(none_as_null=True)),
    PrimaryKeyConstraint("site", "device"),
)
"""The last status of every device. `said_at` is by its own clock and distinguishes a status from its
repetition; by this server's clock are `heard_at`, the last word of its own, `changed_at`, when its state or the kind of
its reason last did, and `frames_at`, when it last looked at a new frame. `update_report` is null for a device that
takes no updates, `fallbacks` for one that uses all as it stands, `clock` where nothing is known to be wrong, `cameras`
for one with a single camera, `exposed` for one whose isolation holds, `system` for one that does
not run wordcam's own image."""

rollout: Final = Table(
    "rollout",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("target", String(160), nullable=False),
    Column("device_class", String(63), nullable=False),
    Column("sites", JSON, nullable=False),
    Column("percent", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("because", String(400), nullable=False),
    Column("started_by", String(64), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
"""A model package that is, or was, offered to some devices of a class. `because` is why it was stopped."""

refusal: Final = Table(
    "refusal",
    metadata,
    Column("reason", String(32), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("count", Number, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("detail", String(400), nullable=False),
    Column("sample", LargeBinary(512), nullable=False),
    PrimaryKeyConstraint("reason", "topic"),
)
"""Messages that do not keep the contract: how many, and the beginning of the last one."""
