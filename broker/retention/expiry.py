"""Finds and deletes what is older than it may be, a little at a time."""

from collections import Counter
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, and_, delete, exists, func, or_, select, tuple_

from broker.notify.notifications import State
from broker.retention import deletion
from broker.store.captions import GONE, sites
from broker.store.tables import core
from broker.store.tables.console import audit, ledger_sample
from broker.store.tables.messaging import delivery, reply, translation

BY_MOMENT: Final[dict[str, tuple[tuple[Table, Column[Any]], ...]]] = {
    "captions": ((translation, translation.c.made_at),),
    "incidents": (
        (delivery, delivery.c.at),
        (reply, reply.c.at),
        (core.silence, core.silence.c.ends_at),
    ),
    "audit": ((audit, audit.c.at),),
    "refusals": ((core.refusal, core.refusal.c.last_at),),
    "figures": ((ledger_sample, ledger_sample.c.hour),),
}
"""Tables whose rows refer to no others, with the moment from which their age counts."""


def captions(connection: Connection, *, before: datetime, now: datetime, limit: int) -> int:
    """Delete some captions that were taken, and had arrived, before a moment, but for those in use; returns how many.

    One that says that it was taken in the future goes by when it arrived, and so does one of a camera whose clock is
    years behind: it would go at once.
    """
    caption, deleted = core.caption, 0
    arrived = caption.c.received_at < before
    ages = (and_(caption.c.captured_at < before, arrived), and_(caption.c.captured_at > now, arrived))
    # What is emptied already is passed over until nothing points at it any more.
    left = and_(or_(caption.c.text != GONE, ~deletion.stays()), ~deletion.in_use())
    for site in sites(connection):
        for age in ages:
            old = select(caption.c.id).where(caption.c.site == site, age, left).order_by(caption.c.captured_at)
            found = connection.scalars(old.limit(limit - deleted)).all()
            deleted += deletion.captions(connection, found)
            if deleted >= limit:
                return deleted
    return deleted


def incidents(connection: Connection, *, before: datetime, limit: int) -> Counter[str]:
    """Delete some incidents that were over before a moment, then digests that gathered such; counts both.

    The newest of either stays: its number stands in text messages and links, and may not be given twice.
    """
    incident, alert = core.incident, core.alert
    newest = select(func.max(incident.c.id)).correlate(None).scalar_subquery()
    last = select(func.max(alert.c.id)).correlate(None).scalar_subquery()
    mine = alert.c.incident_id == incident.c.id
    busy = exists().where(mine, or_(alert.c.state.in_(deletion.UNSENT), alert.c.id == last))
    over = and_(incident.c.closed_at < before, incident.c.id != newest, ~deletion.goes_on(), ~busy)
    found = connection.scalars(select(incident.c.id).where(over).order_by(incident.c.id).limit(limit)).all()
    counted = deletion.incidents(connection, found)
    gathered = alert.alias()
    alone = and_(alert.c.incident_id.is_(None), alert.c.created_at < before, alert.c.id != last)
    done = and_(
        alert.c.state.in_([State.SENT.value, State.DEAD.value]), ~exists().where(gathered.c.told_in == alert.c.id)
    )
    digests = connection.scalars(select(alert.c.id).where(alone, done).order_by(alert.c.id).limit(limit)).all()
    counted["messages"] += deletion.messages(connection, digests)
    return counted


def rows(connection: Connection, kind: str, *, before: datetime, limit: int) -> Counter[str]:
    """Delete some rows of the tables that go with a kind; counts them by table."""
    counted: Counter[str] = Counter()
    for table, moment in BY_MOMENT[kind]:
        keys = list(table.primary_key)
        found = connection.execute(select(*keys).where(moment < before).limit(limit)).all()
        if found:
            connection.execute(delete(table).where(tuple_(*keys).in_([tuple(row) for row in found])))
            counted[table.name] += len(found)
    return counted
