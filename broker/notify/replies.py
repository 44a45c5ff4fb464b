"""The table of replies: what people answered by text message, and which incidents they may answer."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from broker.notify.notifications import State
from broker.store.tables import core
from broker.store.tables.messaging import reply

MAX_TEXT_CHARS: Final = 400


def is_known(connection: Connection, provider: str, provider_id: str) -> bool:
    """Return whether an answer has come before."""
    same = (reply.c.provider == provider) & (reply.c.provider_id == provider_id)
    return connection.execute(select(reply.c.at).where(same)).first() is not None


def add(connection: Connection, row: dict[str, object]) -> None:
    """Write an answer down."""
    connection.execute(insert(reply), row | {"text": str(row["text"])[:MAX_TEXT_CHARS]})


def since(connection: Connection, phone: str, *, at: datetime) -> int:
    """Count the answers of a number since a moment."""
    query = select(func.count()).select_from(reply).where(reply.c.phone == phone, reply.c.at >= at)
    return int(connection.execute(query).scalar_one())


def last_notified(connection: Connection, recipient: str) -> int | None:
    """Return the incident that someone was notified of last, if any."""
    table = core.alert
    about_incident = (table.c.recipient == recipient) & table.c.incident_id.is_not(None)
    handed = table.c.state.in_([State.SENT.value, State.SENDING.value, State.DOUBT.value])
    query = select(table.c.incident_id).where(about_incident, handed).order_by(table.c.tried_at.desc()).limit(1)
    return connection.execute(query).scalar()


def was_notified(connection: Connection, recipient: str, incident_id: int) -> bool:
    """Return whether someone was notified of an incident: they may answer no other."""
    table = core.alert
    query = select(table.c.id).where(table.c.recipient == recipient, table.c.incident_id == incident_id).limit(1)
    return connection.execute(query).first() is not None
