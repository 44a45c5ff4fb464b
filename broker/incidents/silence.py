"""A silence: dangers that send no notifications for a while, because someone knows about them; and its table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from broker.notify.reasons import Silenced
from broker.store.tables import core

FIELDS: Final = ("site", "device", "stream", "danger", "rule", "severity")
"""What a silence can match."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a silence is matched against: one danger as one camera sees it. Fields are those of `FIELDS`."""

    site: str
    device: str
    stream: str
    danger: str
    rule: str
    severity: str


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence; raises `ValueError` where it would match everything, or nothing ever."""

    author: str
    reason: str
    matchers: Mapping[str, tuple[str, ...]]
    """Values by field; every field named must have one of its values."""
    starts_at: datetime
    ends_at: datetime
    id: int = 0
    ended_by: str = ""
    """Who ended it early."""

    def __post_init__(self) -> None:
        if not self.matchers:
            raise ValueError("a silence needs matchers, such as site=north-gate")
        for field, values in self.matchers.items():
            if field not in FIELDS:
                raise ValueError(f"{field!r} cannot be silenced; known: {', '.join(FIELDS)}")
            if not values or not all(values):
                raise ValueError(f"{field} needs a value, such as {field}=...")
        if not self.author.strip() or not self.reason.strip():
            raise ValueError("a silence needs its author and a reason")
        if self.ends_at < self.starts_at:
            raise ValueError("a silence cannot end before it starts")

    def holds_at(self, moment: datetime) -> bool:
        """Return whether it is in force."""
        return self.starts_at <= moment < self.ends_at

    def matches(self, subject: Subject) -> bool:
        """Return whether it is about something."""
        return all(getattr(subject, field) in values for field, values in self.matchers.items())

    @property
    def as_text(self) -> str:
        """Its matchers, as one types them: `site=north-gate danger=smoke,fire`."""
        return " ".join(f"{field}={','.join(values)}" for field, values in self.matchers.items())

    @property
    def as_reason(self) -> Silenced:
        """Why a notification that it matches is not sent."""
        return Silenced(self.id, self.author, self.reason)


def find(silences: Iterable[Silence], subject: Subject, *, at: datetime) -> Silence | None:
    """Return a silence in force that matches; of several, the one that ends last."""
    holding = [silence for silence in silences if silence.holds_at(at) and silence.matches(subject)]
    return max(holding, key=lambda silence: silence.ends_at, default=None)


def read_matchers(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read `site=north-gate` and `danger=smoke,fire`; raises `ValueError`."""
    matchers: dict[str, tuple[str, ...]] = {}
    for word in words:
        field, equals, values = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no matcher; write it like site=north-gate")
        if field in matchers:
            raise ValueError(f"{field} stands twice; write its values as {field}=a,b")
        matchers[field] = tuple(value.strip() for value in values.split(","))
    return matchers


def add(connection: Connection, silence: Silence, *, at: datetime) -> Silence:
    """Write a silence, and return it with its number."""
    row = {
        "author": silence.author[:64],
        "reason": silence.reason[:400],
        "matchers": {field: list(values) for field, values in silence.matchers.items()},
        "created_at": at,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "ended_by": "",
    }
    made = connection.execute(insert(core.silence).returning(core.silence.c.id), row)
    return replace(silence, id=int(made.scalar_one()))


def end(connection: Connection, silence_id: int, *, by: str, at: datetime) -> bool:
    """End a silence early; False where there is none with this number that still holds or will."""
    table = core.silence
    mine = (table.c.id == silence_id) & (table.c.ends_at > at)
    starts_at = connection.execute(select(table.c.starts_at).where(mine)).scalar()
    if starts_at is None:
        return False
    values = {"ends_at": at, "starts_at": min(starts_at, at), "ended_by": by[:64]}
    return connection.execute(update(table).where(mine).values(**values)).rowcount > 0


def in_force(connection: Connection, *, at: datetime) -> Sequence[Silence]:
    """Return the silences in force."""
    table = core.silence
    now = (table.c.starts_at <= at) & (table.c.ends_at > at)
    return [_silence(row) for row in connection.execute(select(table).where(now).order_by(table.c.id))]


def newest(connection: Connection, *, limit: int = 100) -> Sequence[Silence]:
    """Return the last silences made, newest first, ended ones included."""
    rows = connection.execute(select(core.silence).order_by(core.silence.c.id.desc()).limit(limit))
    return [_silence(row) for row in rows]


def _silence(row: Row[Any]) -> Silence:
    matchers = {field: tuple(values) for field, values in row.matchers.items()}
    return Silence(row.author, row.reason, matchers, row.starts_at, row.ends_at, row.id, row.ended_by)
