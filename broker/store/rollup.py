"""Counts captions by site and quarter of an hour: a plot of a month reads a few thousand rows."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update

from broker.store.captions import GONE
from broker.store.outcome import Outcome
from broker.store.tables import core
from broker.store.tables.console import caption_rollup as table
from broker.store.tables.console import caption_words

QUARTER: Final = timedelta(minutes=15)

MOST_PENDING: Final = 20_000
"""Captions that were not counted yet and are read one by one: what a minute of a flood may leave behind."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A caption as it is counted."""

    id: int
    site: str
    captured_at: datetime
    is_danger: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Captions of a stretch of time."""

    captions: int
    dangers: int
    """Captions that a rule fired on."""


def quarter_of(moment: datetime) -> datetime:
    """Return the beginning of the quarter of an hour."""
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


def add(connection: Connection, found: Iterable[Counted]) -> None:
    """Count captions that search gets to know in the same transaction."""
    for (site, quarter), own in _grouped(found).items():
        first, last = min(one.id for one in own), max(one.id for one in own)
        dangers = sum(one.is_danger for one in own)
        known = connection.execute(select(table).where(_key(site, quarter))).first()
        if known is None:
            counts = {"captions": len(own), "dangers": dangers, "first_id": first, "last_id": last}
            connection.execute(insert(table), {"site": site, "quarter_at": quarter} | counts)
            continue
        changed = {
            "captions": known.captions + len(own),
            "dangers": known.dangers + dangers,
            "first_id": min(known.first_id, first),
            "last_id": max(known.last_id, last),
        }
        connection.execute(update(table).where(_key(site, quarter)).values(**changed))


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Take captions off that are about to be deleted, with their decisions and search words, in this transaction."""
    caption = core.caption
    known = exists().where(caption_words.c.caption_id == caption.c.id)
    query = select(caption.c.id, caption.c.site, caption.c.captured_at, _fired().label("is_danger"))
    rows = connection.execute(query.where(caption.c.id.in_(ids), caption.c.text != GONE, known))
    for (site, quarter), own in _grouped(Counted(*row) for row in rows).items():
        dangers = sum(one.is_danger for one in own)
        fewer = {"captions": table.c.captions - len(own), "dangers": table.c.dangers - dangers}
        connection.execute(update(table).where(_key(site, quarter)).values(**fewer))
        connection.execute(delete(table).where(_key(site, quarter), table.c.captions <= 0))


def is_behind(connection: Connection) -> bool:
    """Return whether so many captions are not counted yet that they are left out: search knows them later."""
    new = select(core.caption.c.id).where(core.caption.c.id > _newest_counted(connection), core.caption.c.text != GONE)
    count = select(func.count()).select_from(new.limit(MOST_PENDING + 1).subquery())
    return int(connection.execute(count).scalar_one()) > MOST_PENDING


def by_step(connection: Connection, edges: Sequence[datetime], *, site: str = "") -> list[Count]:
    """Count captions between every two edges, which are full quarters of an hour.

    Those that are not counted yet are read one by one, unless they are more than `MOST_PENDING`.
    """
    captions, dangers = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    query = select(table.c.quarter_at, func.sum(table.c.captions), func.sum(table.c.dangers))
    query = query.where(table.c.quarter_at >= edges[0], table.c.quarter_at < edges[-1]).group_by(table.c.quarter_at)
    rows = [tuple(row) for row in connection.execute(query.where(table.c.site == site) if site else query)]
    for moment, count, danger in [*rows, *_uncounted(connection, edges, site)]:
        place = bisect_right(edges, moment) - 1
        captions[place] += int(count)
        dangers[place] += int(danger)
    return [Count(*pair) for pair in zip(captions, dangers, strict=True)]


def ids_between(
    connection: Connection, *, site: str, since: datetime | None, until: datetime | None
) -> tuple[int, int]:
    """Return the first and the last of the ids among which those of all captions of a stretch of time are."""
    query = select(func.min(table.c.first_id), func.max(table.c.last_id))
    if site:
        query = query.where(table.c.site == site)
    if since is not None:
        query = query.where(table.c.quarter_at >= quarter_of(since))
    if until is not None:
        query = query.where(table.c.quarter_at < until)
    first, last = connection.execute(query).one()
    counted = _newest_counted(connection)
    newest = connection.execute(select(func.max(core.caption.c.id))).scalar() or 0
    if newest > counted:  # among those that are not counted yet may be some
        return min(counted + 1, counted + 1 if first is None else int(first)), int(newest)
    return (0, 0) if first is None else (int(first), int(last))


def _uncounted(connection: Connection, edges: Sequence[datetime], site: str) -> list[tuple[datetime, int, int]]:
    if is_behind(connection):
        return []
    caption = core.caption
    # The site is compared here: asked for it, SQLite follows the index of sites and reads all captions of one.
    query = select(caption.c.site, caption.c.captured_at, _fired()).where(
        caption.c.id > _newest_counted(connection),
        caption.c.text != GONE,
        caption.c.captured_at >= edges[0],
        caption.c.captured_at < edges[-1],
    )
    rows = connection.execute(query).all()
    return [(moment, 1, int(danger)) for where, moment, danger in rows if site in ("", where)]


def _newest_counted(connection: Connection) -> int:
    return connection.execute(select(func.max(caption_words.c.caption_id))).scalar() or 0


def _fired() -> ColumnElement[bool]:
    decision = core.decision
    return exists().where(decision.c.caption_id == core.caption.c.id, decision.c.outcome != Outcome.CANCELLED.value)


def _key(site: str, quarter: datetime) -> ColumnElement[bool]:
    return (table.c.site == site) & (table.c.quarter_at == quarter)


def _grouped(found: Iterable[Counted]) -> dict[tuple[str, datetime], list[Counted]]:
    groups: dict[tuple[str, datetime], list[Counted]] = defaultdict(list)
    for one in found:
        groups[one.site, quarter_of(one.captured_at)].append(one)
    return groups
