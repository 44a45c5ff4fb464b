"""Lists dead letters, which are notifications that were given up, and queues them again on request."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from broker.notify import notifications
from broker.notify.notifications import Notification, State
from broker.store.captions import GONE
from broker.store.tables import core
from broker.store.tables.messaging import resend


def listed(connection: Connection, *, limit: int = 1000) -> list[Notification]:
    """Return dead messages, the newest first."""
    dead = notifications.joined().where(core.alert.c.state == State.DEAD.value)
    rows = connection.execute(dead.order_by(core.alert.c.id.desc()).limit(limit))
    return [notifications.of_row(row) for row in rows]


def take_up(connection: Connection, alert_id: int, *, by: str, at: datetime) -> bool:
    """Send a dead message again; False where it is not dead (any more).

    One that was handed over before is in doubt, so the provider is asked first where it can be.
    """
    table = core.alert
    dead = (table.c.id == alert_id) & (table.c.state == State.DEAD.value)
    tried_at = connection.execute(select(table.c.tried_at).where(dead)).first()
    notification = notifications.get(connection, alert_id)
    # Without its sentence there is nothing to send.
    if tried_at is None or notification is None or notification.sentence == GONE:
        return False
    state = State.WAITING if tried_at[0] is None else State.DOUBT
    values = {"state": state.value, "due_at": at, "attempts": 0}
    connection.execute(update(table).where(dead).values(**values))
    connection.execute(insert(resend), {"alert_id": alert_id, "asked_at": at, "asked_by": by[:64]})
    return True


def resent_at(connection: Connection, alert_id: int) -> datetime | None:
    """Return when someone last asked to send a message again, if anyone did."""
    last = select(func.max(resend.c.asked_at, type_=core.Moment())).where(resend.c.alert_id == alert_id)
    return connection.execute(last).scalar()
