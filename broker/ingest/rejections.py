"""Counts the messages that do not keep the contract, with a sample of each kind."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from broker.ingest.decoder import Rejection
from broker.store.tables import core

SAMPLE_BYTES: Final = 512
"""Enough to recognise the sender and the mistake."""

MAX_KINDS: Final = 1000
"""Kinds (reason and topic) that are kept apart; a sender that invents topics shares the one called `…`."""

OTHER: Final = "…"


def count(connection: Connection, unreadable: Rejection, *, at: datetime) -> None:
    """Add one to the count of this reason on this topic."""
    table = core.refusal
    topic = unreadable.topic[:200]
    values = {"last_at": at, "detail": unreadable.detail[:400], "sample": unreadable.payload[:SAMPLE_BYTES]}
    if _add(connection, unreadable.reason, topic, values):
        return
    kinds = connection.execute(select(func.count()).select_from(table)).scalar_one()
    if kinds >= MAX_KINDS:
        topic = OTHER
        if _add(connection, unreadable.reason, topic, values):
            return
    row = {"reason": unreadable.reason, "topic": topic, "count": 1, "first_at": at}
    connection.execute(insert(table), row | values)


def _add(connection: Connection, reason: str, topic: str, values: dict[str, object]) -> bool:
    table = core.refusal
    same = (table.c.reason == reason) & (table.c.topic == topic)
    return connection.execute(update(table).where(same).values(count=table.c.count + 1, **values)).rowcount > 0
