"""Selects captions by site, device and time, and reads them page by page along the index."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from broker.store.captions import GONE, sites
from broker.store.tables.core import caption

PAGE: Final = 1000
"""Captions read in one query: enough that the query costs nothing, few enough that memory stays flat."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is meant; an empty field leaves nothing out."""

    site: str = ""
    device: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.device and not self.site:
            raise ValueError("a device is known by its site: name both")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("the end is not after the beginning")

    @property
    def is_everything(self) -> bool:
        """Whether nothing at all is left out."""
        return self == Scope()


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a walk has come."""

    site: str
    captured_at: datetime
    id: int


def count(connection: Connection, scope: Scope, *conditions: ColumnElement[bool]) -> int:
    """Count the captions that are meant, and of which all of these hold."""
    found = (
        select(func.count()).select_from(caption).where(_meant(scope, site), *conditions)
        for site in _sites(connection, scope)
    )
    return sum(int(connection.execute(query).scalar_one()) for query in found)


def page(connection: Connection, scope: Scope, after: Mark | None, *, limit: int) -> list[Row[Any]]:
    """Return captions after a mark: site by site, each in the order in which pictures were taken."""
    for site in _sites(connection, scope):
        if after is not None and site < after.site:
            continue
        query = select(caption).where(_meant(scope, site)).order_by(caption.c.captured_at, caption.c.id).limit(limit)
        if after is not None and site == after.site:
            later = or_(caption.c.captured_at > after.captured_at, caption.c.id > after.id)
            query = query.where(caption.c.captured_at >= after.captured_at, later)
        if rows := connection.execute(query).all():
            return list(rows)
    return []


def captured_between(connection: Connection, start: datetime, end: datetime, *, page: int = PAGE) -> Iterator[Row[Any]]:
    """Return every caption taken from `start` up to `end`, in the order in which they were taken."""
    if end <= start:
        return
    each = (_captured_at(connection, Scope(site, since=start, until=end), page) for site in sites(connection))
    yield from heapq.merge(*each, key=lambda row: (row.captured_at, row.id))


def _captured_at(connection: Connection, scope: Scope, size: int) -> Iterator[Row[Any]]:
    """Return the captions of one site, along its index."""
    rows = page(connection, scope, None, limit=size)
    while rows:
        yield from rows
        rows = page(connection, scope, mark(rows[-1]), limit=size) if len(rows) == size else []


def mark(row: Row[Any]) -> Mark:
    """Mark the place of a caption."""
    return Mark(row.site, row.captured_at, row.id)


def _sites(connection: Connection, scope: Scope) -> Iterator[str]:
    if scope.site:
        yield scope.site
    else:
        yield from sites(connection)


def _meant(scope: Scope, site: str) -> ColumnElement[bool]:
    conditions = [caption.c.site == site, caption.c.text != GONE]
    if scope.device:
        conditions.append(caption.c.device == scope.device)
    if scope.since is not None:
        conditions.append(caption.c.captured_at >= scope.since)
    if scope.until is not None:
        conditions.append(caption.c.captured_at < scope.until)
    return and_(*conditions)


def languages(connection: Connection, *, newest: int) -> list[str]:
    """Return the languages of the newest captions, in order."""
    table = caption
    last = select(func.max(table.c.id)).scalar_subquery()
    spoken = select(table.c.language).where(table.c.id > last - newest).distinct().order_by(table.c.language)
    return list(connection.execute(spoken).scalars())
