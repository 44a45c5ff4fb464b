"""Thresholds that false alarms have raised: which danger counts where only above which evidence, and until when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from broker.store.tables import core
from contract.caption import Hazard
from contract.thresholds import MAX_RAISED, Raised, Thresholds

RAISED_FOR: Final = timedelta(days=14)
"""How long a false alarm raises a threshold: the season and the furniture change, and so does the model."""

Camera = tuple[str, str, str]
"""Site, device, stream."""


@dataclass(frozen=True, slots=True)
class RaisedThreshold:
    """One raised threshold."""

    id: int
    site: str
    device: str
    stream: str
    danger: str
    """As the model's bundle names it, which may be finer than the rule does."""
    evidence: float
    """Highest evidence of the false alarm, 0 to 1."""
    incident_id: int
    """The false alarm."""
    raised_at: datetime
    until: datetime
    ended_by: str
    """Who took it back; "" where nobody did."""

    def holds_at(self, moment: datetime) -> bool:
        """Return whether it is in force."""
        return self.raised_at <= moment < self.until


def raise_for(connection: Connection, incident_id: int, *, at: datetime) -> int:
    """Raise the threshold of every danger named in the captions of a false alarm; returns how many.

    Captions of devices that say nothing of their evidence raise none.
    """
    rows = [
        {
            "site": site,
            "device": device,
            "stream": stream,
            "danger": danger,
            "evidence": evidence,
            "incident_id": incident_id,
            "raised_at": at,
            "until": at + RAISED_FOR,
            "ended_by": "",
            "sent_at": None,
        }
        for ((site, device, stream), danger), evidence in sorted(_strongest(_stood(connection, incident_id)).items())
    ]
    if rows:
        connection.execute(insert(core.raised_threshold), rows)
    return len(rows)


def take_back(connection: Connection, number: int, *, by: str, at: datetime) -> bool:
    """End a raised threshold early; False where none of this number is in force."""
    table = core.raised_threshold
    mine = (table.c.id == number) & (table.c.until > at)
    values = {"until": at, "ended_by": by[:64], "sent_at": None}
    return connection.execute(update(table).where(mine).values(**values)).rowcount > 0


def newest(connection: Connection, *, limit: int = 100) -> Sequence[RaisedThreshold]:
    """Return the last ones, newest first, those that are over included."""
    table = core.raised_threshold
    rows = connection.execute(select(table).order_by(table.c.id.desc()).limit(limit))
    return [_raised(row) for row in rows]


def unsent(connection: Connection) -> list[tuple[str, str]]:
    """Return the devices (site, device) that have not been sent a change."""
    table = core.raised_threshold
    query = select(table.c.site, table.c.device).where(table.c.sent_at.is_(None)).distinct()
    return [(row.site, row.device) for row in connection.execute(query.order_by(table.c.site, table.c.device))]


def in_force(connection: Connection, *, at: datetime) -> list[tuple[str, str]]:
    """Return the devices (site, device) at which any threshold is raised."""
    table = core.raised_threshold
    query = select(table.c.site, table.c.device).where(table.c.until > at).distinct()
    return [(row.site, row.device) for row in connection.execute(query.order_by(table.c.site, table.c.device))]


def message(connection: Connection, site: str, device: str, *, at: datetime) -> Thresholds:
    """Write what a device is sent: of several of one camera and danger the highest evidence, and the last end."""
    table = core.raised_threshold
    mine = (table.c.site == site) & (table.c.device == device) & (table.c.until > at)
    known: dict[tuple[str, str], Raised] = {}
    for row in connection.execute(select(table).where(mine)):
        other = known.get((row.stream, row.danger))
        evidence, until = (row.evidence, row.until) if other is None else (other.evidence, other.until)
        known[row.stream, row.danger] = Raised(
            row.stream, row.danger, max(evidence, row.evidence), max(until, row.until)
        )
    lasting = sorted(known.values(), key=lambda raised: (-raised.until.timestamp(), raised.stream, raised.danger))
    return Thresholds(site=site, device=device, at=at, raised=tuple(lasting[:MAX_RAISED]))


def mark_sent(connection: Connection, site: str, device: str, *, changed_until: datetime, at: datetime) -> None:
    """Write down that a device was sent what was known at `changed_until`."""
    table = core.raised_threshold
    mine = (table.c.site == site) & (table.c.device == device) & table.c.sent_at.is_(None)
    known = (table.c.raised_at <= changed_until) & ((table.c.ended_by == "") | (table.c.until <= changed_until))
    connection.execute(update(table).where(mine, known).values(sent_at=at))


def _stood(connection: Connection, incident_id: int) -> Iterator[tuple[Camera, Hazard]]:
    """Return the dangers that stood in an incident's captions, each with its camera."""
    said, decision = core.caption, core.decision
    query = (
        select(said.c.site, said.c.device, said.c.stream, said.c.hazards)
        .join(decision, decision.c.caption_id == said.c.id)
        .where(decision.c.incident_id == incident_id)
    )
    for row in connection.execute(query):
        for hazard in msgspec.convert(row.hazards, tuple[Hazard, ...]):
            if hazard.since is not None and hazard.evidence is not None:
                yield (row.site, row.device, row.stream), hazard


def _strongest(stood: Iterable[tuple[Camera, Hazard]]) -> dict[tuple[Camera, str], float]:
    found: dict[tuple[Camera, str], float] = {}
    for camera, hazard in stood:
        found[camera, hazard.term] = max(hazard.evidence or 0.0, found.get((camera, hazard.term), 0.0))
    return found


def _raised(row: Row[Any]) -> RaisedThreshold:
    return RaisedThreshold(**{name: row._mapping[name] for name in RaisedThreshold.__dataclass_fields__})
