"""Keeps captions, each of them once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, exists, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from broker.store.outcome import Outcome
from broker.store.tables import core
from contract.caption import Caption, Hazard, Label

SPOKEN_WITHIN: Final = timedelta(hours=2)
"""Time around a caption in which other cameras of its device are looked for."""

GONE: Final = ""
"""Replaces a deleted sentence: the contract allows no empty one."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A caption event with the number of its row."""

    id: int
    event: Caption


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule made of a caption, and why."""

    rule: str
    outcome: str
    because: str
    """Stored text: see `broker.notify.reasons`."""
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A stored caption as a reader of the history sees it."""

    id: int
    site: str
    device: str
    stream: str
    captured_at: datetime
    text: str
    confidence: float
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a device last said of one camera's picture: its sentence, and what was found where."""

    stream: str
    captured_at: datetime
    text: str
    language: str
    translated: str
    """Its stored translation; "" where none is."""
    labels: tuple[Label, ...]
    hazards: tuple[Hazard, ...]


def last_seen(connection: Connection, site: str, device: str) -> Seen | None:
    """Return the last caption of a device with what its detector found; None where it never wrote one."""
    table = core.caption
    own = (table.c.site == site) & (table.c.device == device) & (table.c.text != GONE)
    row = connection.execute(select(table).where(own).order_by(table.c.captured_at.desc()).limit(1)).first()
    if row is None:
        return None
    labels = msgspec.convert(row.labels, tuple[Label, ...])
    hazards = msgspec.convert(row.hazards, tuple[Hazard, ...])
    return Seen(row.stream, row.captured_at, row.text, row.language, "", labels, hazards)


def add(connection: Connection, captions: Sequence[Caption], *, received_at: datetime) -> int:
    """Store those captions that are new, and return their number."""
    if not captions:
        return 0
    dialect = connection.dialect
    if dialect.name == "sqlite":
        spelt = _Spelt(received_at)
        return connection.exec_driver_sql(_INSERT, [spelt.row(caption) for caption in captions]).rowcount
    rows = [_row(caption, received_at) for caption in captions]
    # Psycopg counts no rows of many statements; what comes back can be counted.
    return len(connection.execute(_ONE[dialect.name], rows).all())


def add_one(connection: Connection, caption: Caption, *, received_at: datetime) -> Stored | None:
    """Store a caption and return it with its number; None where it was stored before.

    It is the database that decides: of two services that get the same caption at the same time one is given None.
    """
    number = connection.execute(_ONE[connection.dialect.name], _row(caption, received_at)).scalar()
    return None if number is None else Stored(int(number), caption)


def after(connection: Connection, caption_id: int, *, limit: int) -> list[Heard]:
    """Return the oldest `limit` captions stored after one."""
    table = core.caption
    query = select(table).where(table.c.id > caption_id).order_by(table.c.id).limit(limit)
    rows = connection.execute(query).all()
    decisions: dict[int, list[Decision]] = {}
    asked = core.decision
    for row in connection.execute(select(asked).where(asked.c.caption_id.in_([row.id for row in rows]))):
        decisions.setdefault(row.caption_id, []).append(Decision(row.rule, row.outcome, row.because, row.incident_id))
    return [_heard(row, decisions.get(row.id, [])) for row in rows]


def newest_id(connection: Connection, *, back: int = 0) -> int:
    """Return the id to read `after` so that the last `back` captions and all later ones come."""
    table = core.caption
    query = select(table.c.id).order_by(table.c.id.desc()).offset(back).limit(1)
    return connection.execute(query).scalar() or 0


def newest_at(connection: Connection) -> datetime | None:
    """Return when the last caption was stored, if any was."""
    table = core.caption
    return connection.execute(select(table.c.received_at).order_by(table.c.id.desc()).limit(1)).scalar()


def seen_before(connection: Connection, caption: Stored, rule: str, *, within: timedelta, limit: int) -> list[bool]:
    """Say of the captions before one, of the same camera and as recent, whether a rule saw its danger; newest first."""
    table, decision = core.caption, core.decision
    event = caption.event
    seen = (
        exists()
        .where(decision.c.caption_id == table.c.id, decision.c.rule == rule)
        .where(decision.c.outcome != Outcome.CANCELLED.value)
    )
    query = (
        select(seen.label("seen"))
        .select_from(table)
        .where(table.c.source == event.source, table.c.id != caption.id)
        .where(table.c.captured_at > event.captured_at - within, table.c.captured_at <= event.captured_at)
        .order_by(table.c.captured_at.desc(), table.c.id.desc())
        .limit(limit)
    )
    return [bool(row.seen) for row in connection.execute(query)]


def add_decision(connection: Connection, caption: Stored, decision: Decision, *, at: datetime) -> None:
    """Record what a rule made of a caption."""
    row = {
        "caption_id": caption.id,
        "rule": decision.rule,
        "outcome": decision.outcome,
        "because": decision.because[:400],
        "decided_at": at,
        "incident_id": decision.incident_id,
    }
    connection.execute(insert(core.decision), row)


_COLUMNS: Final = tuple(column.name for column in core.caption.columns if column.name != "id")

_INSERT: Final = (
    f"INSERT INTO caption ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - names of ours
    " ON CONFLICT DO NOTHING"
)
"""As SQLAlchemy would write it for SQLite. Most of what this service does is this one statement, and without the
processing of each value by the type of its column it takes half the time."""


@dataclass(frozen=True, slots=True)
class _Spelt:
    """Spells captions as SQLite's driver takes them, just as the columns' types would: a test holds it to that."""

    received_at: datetime

    def row(self, caption: Caption) -> tuple[Any, ...]:
        """Return the values in the order of `_COLUMNS`."""
        return (
            caption.source,
            caption.id,
            caption.site,
            caption.device,
            caption.stream,
            caption.seq,
            _moment(caption.captured_at),
            _moment(self.received_at),
            caption.text,
            caption.language,
            caption.confidence,
            _json(caption.labels),
            _json(caption.hazards),
            caption.model,
            _people(caption),
            _json(caption.visits) if caption.visits else None,
        )


def _people(caption: Caption) -> int | None:
    return caption.people if isinstance(caption.people, int) else None


def _moment(value: datetime) -> str:
    return value.isoformat(" ", "microseconds")[:26]


def _json(value: Sequence[msgspec.Struct]) -> str:
    return msgspec.json.encode(value).decode() if value else "[]"


_INSERTIONS: Final = {
    dialect.dialect.name: dialect.insert(core.caption).on_conflict_do_nothing() for dialect in (sqlite, postgresql)
}
"""The statement that stores a caption unless it is known, by the database's dialect; made once, as making it takes
longer than running it."""

_ONE: Final = {name: made.returning(core.caption.c.id) for name, made in _INSERTIONS.items()}


def _row(caption: Caption, received_at: datetime) -> dict[str, Any]:
    return {
        "source": caption.source,
        "event_id": caption.id,
        "site": caption.site,
        "device": caption.device,
        "stream": caption.stream,
        "seq": caption.seq,
        "captured_at": caption.captured_at,
        "received_at": received_at,
        "text": caption.text,
        "language": caption.language,
        "confidence": caption.confidence,
        "labels": msgspec.to_builtins(caption.labels),
        "hazards": msgspec.to_builtins(caption.hazards),
        "model": caption.model,
        "people": _people(caption),
        "visits": msgspec.to_builtins(caption.visits) if caption.visits else None,
    }


def _heard(row: Row[Any], decisions: list[Decision]) -> Heard:
    return Heard(
        id=row.id,
        site=row.site,
        device=row.device,
        stream=row.stream,
        captured_at=row.captured_at,
        text=row.text,
        confidence=row.confidence,
        decisions=tuple(decisions),
    )


def sites(connection: Connection) -> Iterator[str]:
    """Yield every site with captions: one step along the index of sites for each of them."""
    site = core.caption.c.site
    found = connection.execute(select(func.min(site))).scalar()
    while found is not None:
        yield found
        found = connection.execute(select(func.min(site)).where(site > found)).scalar()


def is_sole_camera(connection: Connection, caption_id: int) -> bool:
    """Return whether the camera of a caption is the only one of its device that has spoken around that time.

    Its name then tells nothing that the device's does not: many sites have a `cam-0` on every device.
    """
    table = core.caption
    own = connection.execute(
        select(table.c.site, table.c.device, table.c.stream, table.c.captured_at).where(table.c.id == caption_id)
    ).first()
    if own is None:
        return False
    around = table.c.captured_at.between(own.captured_at - SPOKEN_WITHIN, own.captured_at + SPOKEN_WITHIN)
    beside = (table.c.site == own.site) & (table.c.device == own.device) & (table.c.stream != own.stream)
    return connection.execute(select(table.c.id).where(around, beside).limit(1)).first() is None
