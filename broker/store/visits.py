"""Visits: the captions of one person, from arriving to leaving, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, null, select

from broker.store import search
from broker.store.captions import GONE
from broker.store.search import Found
from broker.store.tables.core import caption as table
from contract.caption import Phase, Visit

CAPTIONS: Final = 400
"""Captions of one page; a visit that began before them is shown from the first of them on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one caption says of one visit."""

    found: Found
    people: int | None
    """People in view."""
    visit: Visit


@dataclass(frozen=True, slots=True)
class Story:
    """One visit."""

    entries: tuple[Entry, ...]
    """Oldest first; never empty."""

    @property
    def first(self) -> Found:
        """Return its first caption."""
        return self.entries[0].found

    @property
    def began_at(self) -> datetime:
        """Return when this person came into view."""
        return self.first.captured_at - timedelta(seconds=self.entries[0].visit.seconds)

    @property
    def ends_at(self) -> datetime:
        """Return when this person was last known to be in view."""
        return self.began_at + timedelta(seconds=self.seconds)

    @property
    def seconds(self) -> int:
        """Return how long it lasted, by its last caption."""
        return max(entry.visit.seconds for entry in self.entries)

    @property
    def is_over(self) -> bool:
        """Whether a caption said that this person left."""
        return self.entries[-1].visit.phase is Phase.LEAVES

    @property
    def is_danger(self) -> bool:
        """Whether a rule fired on one of its captions."""
        return any(entry.found.is_danger for entry in self.entries)

    @property
    def zones(self) -> dict[str, int]:
        """Return the longest time in each zone, in seconds."""
        longest: dict[str, int] = {}
        for zone in (zone for entry in self.entries for zone in entry.visit.zones):
            longest[zone.name] = max(zone.seconds, longest.get(zone.name, 0))
        return longest


@dataclass(frozen=True, slots=True)
class Page:
    """The newest visits of a stretch of time."""

    stories: tuple[Story, ...]
    """Those that were last told of come first."""
    older: int | None
    """The last caption of this page, where more may follow."""


def find(  # noqa: PLR0913 - what a page asks for
    connection: Connection,
    *,
    site: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = CAPTIONS,
) -> Page:
    """Return the visits of which the newest captions tell, by site, time, and the last caption of the page before."""
    query = select(table.c.id, table.c.people, table.c.visits).where(
        table.c.visits.is_not(null()), table.c.text != GONE
    )
    if site:
        query = query.where(table.c.site == site)
    if since is not None:
        query = query.where(table.c.captured_at >= since)
    if until is not None:
        query = query.where(table.c.captured_at < until)
    if before is not None:
        query = query.where(table.c.id < before)
    rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit)).all()
    captions = search.some(connection, [row.id for row in rows])
    told = [
        Entry(captions[row.id], row.people, visit)
        for row in reversed(rows)
        if row.id in captions
        for visit in msgspec.convert(row.visits, tuple[Visit, ...])
    ]
    return Page(stories(told), rows[-1].id if len(rows) == limit else None)


def stories(entries: Sequence[Entry]) -> tuple[Story, ...]:
    """Put entries together by camera and visit; the one that was told of last comes first."""
    known: dict[tuple[str, ...], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.found.captured_at, entry.found.id)):
        found = entry.found
        known.setdefault((found.site, found.device, found.stream, entry.visit.id), []).append(entry)
    made = [Story(tuple(told)) for told in known.values()]
    return tuple(sorted(made, key=lambda story: story.ends_at, reverse=True))
