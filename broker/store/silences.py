"""Keeps silences."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from broker.incidents.silence import Silence
from broker.store.tables import core


def add(connection: Connection, silence: Silence, *, at: datetime) -> Silence:
    """Write a silence, and give it with its number."""
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
    """Give the silences in force."""
    table = core.silence
    held = (table.c.starts_at <= at) & (table.c.ends_at > at)
    return [_silence(row) for row in connection.execute(select(table).where(held).order_by(table.c.id))]


def newest(connection: Connection, *, limit: int = 100) -> Sequence[Silence]:
    """Give the last silences made, newest first, ended ones included."""
    rows = connection.execute(select(core.silence).order_by(core.silence.c.id.desc()).limit(limit))
    return [_silence(row) for row in rows]


def _silence(row: Row[Any]) -> Silence:
    matchers = {field: tuple(values) for field, values in row.matchers.items()}
    return Silence(row.author, row.reason, matchers, row.starts_at, row.ends_at, row.id, row.ended_by)
