"""Counts what the console plots: captions and incidents over time, words against video, messages by state."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection, func, select, update
from sqlalchemy import insert as insert_into

from broker.store.outcome import Outcome
from broker.store.tables import core
from broker.store.tables.console import ledger_sample
from contract.status import Ledger


@dataclass(frozen=True, slots=True)
class Sample:
    """Words against video of one device at the end of an hour, counted up since its outbox was made."""

    site: str
    device: str
    hour: datetime
    sent_bytes: int
    video_bytes: int


def captions_by_step(
    connection: Connection, edges: Sequence[datetime], *, site: str = "", device: str = ""
) -> list[tuple[int, int]]:
    """Count captions, and those that a rule fired on, between every two edges."""
    table, decision = core.caption, core.decision
    fired = select(decision.c.caption_id).where(decision.c.outcome != Outcome.CANCELLED.value)
    counted = []
    for start, end in pairwise(edges):
        query = select(func.count()).select_from(table).where(table.c.captured_at >= start, table.c.captured_at < end)
        if site:
            query = query.where(table.c.site == site)
        if device:
            query = query.where(table.c.device == device)
        every = connection.execute(query).scalar_one()
        danger = connection.execute(query.where(table.c.id.in_(fired))).scalar_one() if every else 0
        counted.append((int(every), int(danger)))
    return counted


def incidents_by_step(connection: Connection, edges: Sequence[datetime], *, site: str = "") -> list[Counter[str]]:
    """Count the incidents that were opened between every two edges, by severity."""
    table = core.incident
    query = select(table.c.opened_at, table.c.severity).where(
        table.c.opened_at >= edges[0], table.c.opened_at < edges[-1]
    )
    if site:
        query = query.where(table.c.site == site)
    counted: list[Counter[str]] = [Counter() for _ in edges[1:]]
    for opened_at, severity in connection.execute(query):
        place = next(n for n, end in enumerate(edges[1:]) if opened_at < end)
        counted[place][severity] += 1
    return counted


def fired_by_rule(connection: Connection, *, since: datetime, until: datetime) -> Counter[str]:
    """Count the captions of a stretch of time that each rule fired on, when they came in."""
    table, decision = core.caption, core.decision
    span = (table.c.captured_at >= since) & (table.c.captured_at < until)
    query = (
        select(decision.c.rule, func.count())
        .join(table, table.c.id == decision.c.caption_id)
        .where(span, decision.c.outcome != Outcome.CANCELLED.value)
        .group_by(decision.c.rule)
    )
    return Counter({rule: int(count) for rule, count in connection.execute(query)})


def sample(connection: Connection, ledgers: dict[tuple[str, str], Ledger], *, at: datetime) -> None:
    """Keep how the ledgers stand, once for each device and hour; the last look of an hour stays."""
    table, hour = ledger_sample, at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for (site, device), ledger in ledgers.items():
        own = (table.c.site == site) & (table.c.device == device) & (table.c.hour == hour)
        values = {"sent_bytes": ledger.sent_bytes, "video_bytes": ledger.video_bytes}
        if connection.execute(update(table).where(own).values(**values)).rowcount == 0:
            connection.execute(insert_into(table), {"site": site, "device": device, "hour": hour} | values)


def samples(connection: Connection, *, since: datetime, site: str = "") -> list[Sample]:
    """Give the samples since a moment and, of each device, the last one before it: differences need a first."""
    table = ledger_sample
    query = select(table).where(table.c.hour >= since - timedelta(days=31)).order_by(table.c.hour)
    found = [Sample(**row._mapping) for row in connection.execute(query) if not site or row.site == site]
    before = {(one.site, one.device): one for one in found if one.hour < since}
    return [*before.values(), *(one for one in found if one.hour >= since)]
