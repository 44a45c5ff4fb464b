"""Counts what the console plots: captions and incidents over time, words against video, messages by state."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, func, literal, select, union_all, update
from sqlalchemy import insert as insert_into

from broker.store.outcome import Outcome
from broker.store.tables import core
from broker.store.tables.console import ledger_sample
from contract.status import Ledger

IDS_AT_ONCE: Final = 5000
"""Parameters of one statement; SQLite takes 32,766 at most."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Words against video of one device at the end of an hour, counted up since its outbox was made."""

    site: str
    device: str
    hour: datetime
    sent_bytes: int
    video_bytes: int


def incidents_by_step(connection: Connection, edges: Sequence[datetime], *, site: str = "") -> list[Counter[str]]:
    """Count the incidents that were opened between every two edges, by severity; the index alone is read."""
    table = core.incident
    steps = [
        select(literal(step).label("step"), table.c.severity, table.c.site, func.count())
        .where(table.c.opened_at >= start, table.c.opened_at < end)
        .group_by(table.c.severity, table.c.site)
        for step, (start, end) in enumerate(pairwise(edges))
    ]
    counted: list[Counter[str]] = [Counter() for _ in steps]
    for step, severity, where, count in connection.execute(union_all(*steps)):
        if site in ("", where):
            counted[step][severity] += int(count)
    return counted


def fired_by_rule(connection: Connection, ids: Sequence[int]) -> Counter[str]:
    """Count the captions of these that each rule fired on, when they came in."""
    decision, counted = core.decision, Counter[str]()
    query = select(decision.c.rule, func.count()).where(decision.c.outcome != Outcome.CANCELLED.value)
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = query.where(decision.c.caption_id.in_(ids[start : start + IDS_AT_ONCE]))
        counted.update({rule: int(count) for rule, count in connection.execute(some.group_by(decision.c.rule))})
    return counted


def sample(connection: Connection, ledgers: dict[tuple[str, str], Ledger], *, at: datetime) -> None:
    """Keep how the ledgers stand, once for each device and hour; the last look of an hour stays."""
    table, hour = ledger_sample, at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for (site, device), ledger in ledgers.items():
        own = (table.c.site == site) & (table.c.device == device) & (table.c.hour == hour)
        values = {"sent_bytes": ledger.sent_bytes, "video_bytes": ledger.video_bytes}
        if connection.execute(update(table).where(own).values(**values)).rowcount == 0:
            connection.execute(insert_into(table), {"site": site, "device": device, "hour": hour} | values)


def samples(connection: Connection, *, since: datetime, site: str = "") -> list[Sample]:
    """Return the samples since a moment and, of each device, the last one before it: differences need a first."""
    table = ledger_sample
    query = select(table).where(table.c.hour >= since - timedelta(days=31)).order_by(table.c.hour)
    found = [Sample(**row._mapping) for row in connection.execute(query) if not site or row.site == site]
    before = {(one.site, one.device): one for one in found if one.hour < since}
    return [*before.values(), *(one for one in found if one.hour >= since)]
