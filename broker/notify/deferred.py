"""Deferred notifications: those that wait because their recipient is away, asleep, or has had too many."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from broker.notify import notifications, reasons
from broker.notify.notifications import Notification, State
from broker.rules.reasons import Reason
from broker.store.tables import core


def next_due(connection: Connection, *, at: datetime) -> str | None:
    """Return the recipient whose deferred notification has been due longest, if any is due."""
    table = core.alert
    due = (table.c.state == State.DEFERRED.value) & (table.c.due_at <= at)
    return connection.execute(select(table.c.recipient).where(due).order_by(table.c.due_at).limit(1)).scalar()


def next_due_at(connection: Connection) -> datetime | None:
    """Return when the next deferred notification is due, if there is one."""
    return connection.execute(
        select(func.min(core.alert.c.due_at)).where(core.alert.c.state == State.DEFERRED.value)
    ).scalar()


def of(connection: Connection, recipient: str) -> list[Notification]:
    """Return the deferred notifications of a recipient, oldest first."""
    table = core.alert
    mine = (table.c.recipient == recipient) & (table.c.state == State.DEFERRED.value)
    return [
        notifications.of_row(row) for row in connection.execute(notifications.joined().where(mine).order_by(table.c.id))
    ]


def keep_deferred(connection: Connection, recipient: str, *, until: datetime, reason: Reason) -> None:
    """Defer all of a recipient's deferred notifications until a later moment."""
    _change_deferred(connection, recipient, {"due_at": until, "because": reasons.encode((reason,))})


def release(connection: Connection, alert_id: int, *, at: datetime) -> None:
    """Queue a deferred notification to be sent."""
    mine = (core.alert.c.id == alert_id) & (core.alert.c.state == State.DEFERRED.value)
    connection.execute(update(core.alert).where(mine).values(state=State.WAITING.value, due_at=at))


def gather(connection: Connection, recipient: str, *, digest_id: int) -> None:
    """Mark all of a recipient's deferred notifications as covered by a digest."""
    _change_deferred(connection, recipient, {"state": State.DIGESTED.value, "told_in": digest_id})


def give_up(connection: Connection, recipient: str, *, error: str) -> None:
    """Abandon all of a recipient's deferred notifications."""
    _change_deferred(connection, recipient, {"state": State.DEAD.value, "error": error[:400]})


def _change_deferred(connection: Connection, recipient: str, values: dict[str, Any]) -> None:
    table = core.alert
    mine = (table.c.recipient == recipient) & (table.c.state == State.DEFERRED.value)
    connection.execute(update(table).where(mine).values(**values))
