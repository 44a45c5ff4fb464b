"""Keeps which instance is on duty, under a number that grows each time that another one takes it up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, update

from broker.ports import Superseded
from broker.store.tables.messaging import lease as table

DUTY: Final = "duty"
"""The one duty that there is: to tell people, and to walk the rounds."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One process of one instance."""

    name: str
    """Of the instance; 64 characters at most."""
    process: str
    """A word that this process alone knows, 32 characters at most."""
    place: str
    """Its machine and process number, for people."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who is on duty."""

    token: int
    """Grows with each change of the holder, and never falls."""
    beats: int
    """Grows as long as the holder lives."""
    holder: str
    """The name of an instance; "" where nobody is on duty."""
    process: str
    place: str
    since: datetime | None
    beat_at: datetime | None
    """The last sign of life, by the holder's clock."""


def read(connection: Connection) -> Lease:
    """Say who is on duty."""
    row = connection.execute(select(table).where(table.c.name == DUTY)).one()
    return Lease(row.token, row.beats, row.holder, row.process, row.place, row.since, row.beat_at)


def take(connection: Connection, seen: Lease, by: Holder, *, at: datetime) -> int | None:
    """Take the duty up and give the new token; None where it is no longer as it was `seen`."""
    unchanged = (table.c.name == DUTY) & (table.c.token == seen.token) & (table.c.beats == seen.beats)
    who = {"holder": by.name, "process": by.process, "place": by.place[:128], "since": at, "beat_at": at}
    changed = update(table).where(unchanged).values(token=seen.token + 1, beats=seen.beats + 1, **who)
    return seen.token + 1 if connection.execute(changed).rowcount else None


def beat(connection: Connection, token: int, *, at: datetime) -> bool:
    """Give a sign of life; False where another instance is on duty."""
    alive = update(table).where(_held(token)).values(beats=table.c.beats + 1, beat_at=at)
    return connection.execute(alive).rowcount > 0


def release(connection: Connection, token: int) -> None:
    """Lay the duty down, so that another instance need not wait."""
    connection.execute(update(table).where(_held(token)).values(holder="", process="", beats=table.c.beats + 1))


def require(connection: Connection, token: int) -> None:
    """Raise `Superseded` where another instance is on duty.

    To be asked in the very transaction that writes: writers take turns, so nobody takes the duty up before its commit.
    """
    if connection.execute(select(table.c.token).where(_held(token))).first() is None:
        raise Superseded(f"another instance has taken over since {token}")


def _held(token: int) -> ColumnElement[bool]:
    return (table.c.name == DUTY) & (table.c.token == token) & (table.c.holder != "")
