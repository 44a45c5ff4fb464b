"""Keeps text messages that have to wait for their recipient."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from broker.notify import notifications, reasons
from broker.notify.notifications import Notification, State
from broker.rules.reasons import Reason
from broker.store.tables import core


def next_due(connection: Connection, *, at: datetime) -> str | None:
    """Give the recipient whose held message has been due longest, if any is."""
    table = core.alert
    due = (table.c.state == State.HELD.value) & (table.c.due_at <= at)
    return connection.execute(select(table.c.recipient).where(due).order_by(table.c.due_at).limit(1)).scalar()


def next_due_at(connection: Connection) -> datetime | None:
    """Say when the next held message is due, if any is held."""
    return connection.execute(
        select(func.min(core.alert.c.due_at)).where(core.alert.c.state == State.HELD.value)
    ).scalar()


def of(connection: Connection, recipient: str) -> list[Notification]:
    """Give every message that is held for someone, oldest first."""
    table = core.alert
    held = (table.c.recipient == recipient) & (table.c.state == State.HELD.value)
    return [
        notifications.of_row(row) for row in connection.execute(notifications.joined().where(held).order_by(table.c.id))
    ]


def hold_on(connection: Connection, recipient: str, *, until: datetime, reason: Reason) -> None:
    """Hold everything that is held for someone until a later moment."""
    _change_held(connection, recipient, {"due_at": until, "because": reasons.encode((reason,))})


def release(connection: Connection, alert_id: int, *, at: datetime) -> None:
    """Let a held message be sent."""
    mine = (core.alert.c.id == alert_id) & (core.alert.c.state == State.HELD.value)
    connection.execute(update(core.alert).where(mine).values(state=State.WAITING.value, due_at=at))


def gather(connection: Connection, recipient: str, *, digest_id: int) -> None:
    """Mark everything that is held for someone as told in a digest."""
    _change_held(connection, recipient, {"state": State.DIGESTED.value, "told_in": digest_id})


def give_up(connection: Connection, recipient: str, *, error: str) -> None:
    """Mark everything that is held for someone as dead."""
    _change_held(connection, recipient, {"state": State.DEAD.value, "error": error[:400]})


def _change_held(connection: Connection, recipient: str, values: dict[str, Any]) -> None:
    table = core.alert
    held = (table.c.recipient == recipient) & (table.c.state == State.HELD.value)
    connection.execute(update(table).where(held).values(**values))
