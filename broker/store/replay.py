"""Gives stored captions back as the events they were, so that rules can be tried on them again."""

from collections import Counter
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, select

from broker.pipeline.outcome import Outcome
from broker.store import tables
from contract.caption import Caption

_OWN: Final = (
    *("text", "captured_at", "site", "device", "stream", "confidence", "labels"),
    *("hazards", "language", "model", "seq", "source"),
)


def events(connection: Connection, *, since: datetime, until: datetime, limit: int) -> list[Caption]:
    """Give the captions of a stretch of time, the newest `limit` of them, oldest first."""
    table = tables.caption
    span = (table.c.captured_at >= since) & (table.c.captured_at < until)
    rows = connection.execute(select(table).where(span).order_by(table.c.captured_at.desc()).limit(limit)).all()
    return [_event(dict(row._mapping)) for row in reversed(rows)]


def fired_by_rule(connection: Connection, *, since: datetime, until: datetime) -> Counter[str]:
    """Count the captions of a stretch of time that each rule fired on, when they came in."""
    table, decision = tables.caption, tables.decision
    span = (table.c.captured_at >= since) & (table.c.captured_at < until)
    query = (
        select(decision.c.rule, func.count())
        .join(table, table.c.id == decision.c.caption_id)
        .where(span, decision.c.outcome != Outcome.CANCELLED.value)
        .group_by(decision.c.rule)
    )
    return Counter({rule: int(count) for rule, count in connection.execute(query)})


def _event(row: dict[str, Any]) -> Caption:
    given = {name: row[name] for name in _OWN}
    return msgspec.convert(given | {"id": row["event_id"], "time": row["captured_at"]}, Caption)
