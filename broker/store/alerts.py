"""Keeps every text message from the intent to the end: sent, or dead with a reason."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from broker.config import Language, Recipient, Severity
from broker.cooldown import Notice
from broker.rulebook import Rule
from broker.store import tables
from broker.store.captions import Stored


class State(StrEnum):
    """How far a text message is."""

    WAITING = "waiting"
    SENDING = "sending"
    """Handed to the sender; whoever finds this at a start does not know how it ended."""
    DOUBT = "doubt"
    """The sender may or may not have taken it: it is asked before anything is sent again."""
    SENT = "sent"
    DEAD = "dead"


OPEN: Final = (State.WAITING, State.SENDING, State.DOUBT)


@dataclass(frozen=True, slots=True)
class Alert:
    """One text message to one person, with the caption that it tells of."""

    id: int
    rule: str
    severity: Severity
    recipient: str
    phone: str
    language: Language
    state: State
    text: str
    """As it is sent; "" until the first attempt."""
    attempts: int
    created_at: datetime
    tried_at: datetime | None
    site: str
    device: str
    stream: str
    captured_at: datetime
    sentence: str
    sentence_language: str


def add(connection: Connection, caption: Stored, rule: Rule, *, to: Recipient, at: datetime) -> None:
    """Write the intent to tell one person of one caption."""
    row = {
        "caption_id": caption.id,
        "rule": rule.name,
        "site": caption.event.site,
        "severity": rule.severity,
        "recipient": to.name,
        "phone": to.e164,
        "language": to.language,
        "state": State.WAITING.value,
        "created_at": at,
        "due_at": at,
    }
    connection.execute(insert(tables.alert), row)


def last_notice(connection: Connection, *, rule: str, site: str) -> Notice:
    """Say when people were last told of a rule at a site, and whether a newer message is still on its way."""
    table = tables.alert
    same = and_(table.c.rule == rule, table.c.site == site)
    sent = select(table.c.sent_at).where(same, table.c.state == State.SENT.value)
    sent_at = connection.execute(sent.order_by(table.c.sent_at.desc()).limit(1)).scalar()
    waiting = select(table.c.id).where(same, table.c.state.in_([state.value for state in OPEN]))
    if sent_at is not None:
        waiting = waiting.where(table.c.created_at > sent_at)
    return Notice(sent_at, connection.execute(waiting.limit(1)).scalar() is not None)


def doubt_unfinished(connection: Connection, *, at: datetime) -> int:
    """Put every message that a stopped service left half sent in doubt, due at once; gives how many there were."""
    table = tables.alert
    unfinished = update(table).where(table.c.state == State.SENDING.value)
    return connection.execute(unfinished.values(state=State.DOUBT.value, due_at=at)).rowcount


def next_due(connection: Connection, *, at: datetime) -> Alert | None:
    """Give the message that has been due longest, if any is."""
    table = tables.alert
    due = and_(table.c.state.in_([State.WAITING.value, State.DOUBT.value]), table.c.due_at <= at)
    row = connection.execute(_joined().where(due).order_by(table.c.due_at, table.c.id).limit(1)).first()
    return None if row is None else _alert(row)


def next_due_at(connection: Connection) -> datetime | None:
    """Say when the next message is due, if any waits."""
    table = tables.alert
    waiting = table.c.state.in_([State.WAITING.value, State.DOUBT.value])
    return connection.execute(select(table.c.due_at).where(waiting).order_by(table.c.due_at).limit(1)).scalar()


def begin(connection: Connection, alert_id: int, *, text: str, provider: str, at: datetime) -> None:
    """Write down that a message is about to be handed over, before it is."""
    table = tables.alert
    values = {"state": State.SENDING.value, "text": text, "provider": provider, "tried_at": at}
    connection.execute(update(table).where(table.c.id == alert_id).values(attempts=table.c.attempts + 1, **values))


def mark_sent(connection: Connection, alert_id: int, *, provider_id: str, at: datetime) -> None:
    """Write down that the sender has taken a message."""
    values = {"state": State.SENT.value, "provider_id": provider_id, "sent_at": at, "error": ""}
    connection.execute(update(tables.alert).where(tables.alert.c.id == alert_id).values(**values))


def mark_dead(connection: Connection, alert_id: int, *, error: str) -> None:
    """Write down that a message will never be sent, and why."""
    values = {"state": State.DEAD.value, "error": error[:400]}
    connection.execute(update(tables.alert).where(tables.alert.c.id == alert_id).values(**values))


def put_off(connection: Connection, alert_id: int, *, state: State, due_at: datetime, error: str) -> None:
    """Write down when a message is tried again (WAITING) or asked after (DOUBT), and why."""
    values = {"state": state.value, "due_at": due_at, "error": error[:400]}
    connection.execute(update(tables.alert).where(tables.alert.c.id == alert_id).values(**values))


def known_provider_ids(connection: Connection, provider_ids: list[str]) -> set[str]:
    """Give those of a sender's ids that belong to a message already."""
    table = tables.alert
    return set(connection.execute(select(table.c.provider_id).where(table.c.provider_id.in_(provider_ids))).scalars())


def made_since(connection: Connection, at: datetime) -> list[Alert]:
    """Give every message that was made or sent since a moment, oldest first."""
    table = tables.alert
    recent = or_(table.c.created_at >= at, table.c.sent_at >= at)
    return [_alert(row) for row in connection.execute(_joined().where(recent).order_by(table.c.id))]


def count_by_state(connection: Connection) -> dict[State, int]:
    """Count all messages by how far they are."""
    table = tables.alert
    counted = connection.execute(select(table.c.state, func.count()).group_by(table.c.state))
    return {State(state): int(number) for state, number in counted}


def _joined() -> Any:
    caption = tables.caption
    told = (caption.c.device, caption.c.stream, caption.c.captured_at, caption.c.text.label("sentence"))
    language = caption.c.language.label("sentence_language")
    return select(tables.alert, *told, language).join(caption, caption.c.id == tables.alert.c.caption_id)


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        recipient=row.recipient,
        phone=row.phone,
        language=row.language,
        state=State(row.state),
        text=row.text,
        attempts=row.attempts,
        created_at=row.created_at,
        tried_at=row.tried_at,
        site=row.site,
        device=row.device,
        stream=row.stream,
        captured_at=row.captured_at,
        sentence=row.sentence,
        sentence_language=row.sentence_language,
    )
