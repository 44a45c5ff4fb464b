"""Delivery reports of providers; a report never sets a notification back to an earlier state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from broker.notify.notifications import State
from broker.store.tables import core
from broker.store.tables.messaging import delivery

ORDER: Final = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "read": 5,
}
"""States of a message at Twilio; reports overtake each other on the way."""

LOST: Final = frozenset({"undelivered", "failed", "canceled"})
"""States in which the notification does not arrive."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider reports of a notification."""

    provider: str
    provider_id: str
    status: str
    """One of `ORDER`."""
    detail: str
    at: datetime


def record(connection: Connection, report: Report) -> bool:
    """Keep a report; False where it is behind what is known. A message that was lost becomes dead."""
    provider, provider_id, status = report.provider, report.provider_id, report.status
    same = (delivery.c.provider == provider) & (delivery.c.provider_id == provider_id)
    known = connection.execute(select(delivery.c.status).where(same)).scalar()
    if known is not None and ORDER[status] <= ORDER[known]:
        return False
    values = {"status": status, "detail": report.detail[:200], "at": report.at}
    if known is None:
        connection.execute(insert(delivery), {"provider": provider, "provider_id": provider_id} | values)
    else:
        connection.execute(update(delivery).where(same).values(**values))
    if status in LOST:
        table = core.alert
        own = (table.c.provider_id == provider_id) & (table.c.state == State.SENT.value)
        error = f"{provider} reports: {status} {report.detail}".strip()
        connection.execute(update(table).where(own).values(state=State.DEAD.value, error=error[:400]))
    return True


def lost(connection: Connection, provider_id: str) -> str | None:
    """Return the report by which a message was lost, if there is one; it may come before we know the message's id."""
    report = connection.execute(select(delivery).where(delivery.c.provider_id == provider_id)).first()
    return f"{report.status} {report.detail}".strip() if report is not None and report.status in LOST else None
