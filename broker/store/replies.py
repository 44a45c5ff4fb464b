"""Keeps the answers that people sent by text message."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from broker.notify.alerts import State
from broker.store.tables import core
from broker.store.tables.messaging import reply

MAX_TEXT_CHARS = 400


def is_known(connection: Connection, provider: str, provider_id: str) -> bool:
    """Say whether an answer has come before."""
    same = (reply.c.provider == provider) & (reply.c.provider_id == provider_id)
    return connection.execute(select(reply.c.at).where(same)).first() is not None


def add(connection: Connection, row: dict[str, object]) -> None:
    """Write an answer down."""
    connection.execute(insert(reply), row | {"text": str(row["text"])[:MAX_TEXT_CHARS]})


def since(connection: Connection, phone: str, *, at: datetime) -> int:
    """Count the answers of a number since a moment."""
    query = select(func.count()).select_from(reply).where(reply.c.phone == phone, reply.c.at >= at)
    return int(connection.execute(query).scalar_one())


def last_told(connection: Connection, recipient: str) -> int | None:
    """Give the incident that someone was told of last, if they were told of any."""
    table = core.alert
    told = (table.c.recipient == recipient) & table.c.incident_id.is_not(None)
    handed = table.c.state.in_([State.SENT.value, State.SENDING.value, State.DOUBT.value])
    query = select(table.c.incident_id).where(told, handed).order_by(table.c.tried_at.desc()).limit(1)
    return connection.execute(query).scalar()


def was_told(connection: Connection, recipient: str, incident_id: int) -> bool:
    """Say whether someone was told of an incident: an answer may not reach beyond that."""
    table = core.alert
    query = select(table.c.id).where(table.c.recipient == recipient, table.c.incident_id == incident_id).limit(1)
    return connection.execute(query).first() is not None
