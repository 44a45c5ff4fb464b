"""The lease of the leader, in the database: who holds it, under a token that grows with each term."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, update

from broker.ports import Superseded
from broker.store.tables.messaging import lease as table

NAME: Final = "duty"
"""The key of the only row; the word is that of version 0.1."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One process of one instance."""

    name: str
    """Of the instance; 64 characters at most."""
    process: str
    """A random word that only this process knows, 32 characters at most."""
    place: str
    """Its machine and process number, for people."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads."""

    token: int
    """Grows with each term, and never falls."""
    beats: int
    """Grows with each renewal."""
    holder: str
    """The name of the leader; "" where there is none."""
    process: str
    place: str
    since: datetime | None
    beat_at: datetime | None
    """The last renewal, by the holder's clock."""


def read(connection: Connection) -> Lease:
    """Read the lease."""
    row = connection.execute(select(table).where(table.c.name == NAME)).one()
    return Lease(row.token, row.beats, row.holder, row.process, row.place, row.since, row.beat_at)


def acquire(connection: Connection, seen: Lease, by: Holder, *, at: datetime) -> int | None:
    """Begin a term and return its token; None where the lease is no longer as it was `seen`."""
    unchanged = (table.c.name == NAME) & (table.c.token == seen.token) & (table.c.beats == seen.beats)
    who = {"holder": by.name, "process": by.process, "place": by.place[:128], "since": at, "beat_at": at}
    changed = update(table).where(unchanged).values(token=seen.token + 1, beats=seen.beats + 1, **who)
    return seen.token + 1 if connection.execute(changed).rowcount else None


def renew(connection: Connection, token: int, *, at: datetime) -> bool:
    """Renew the lease; False where another instance holds it."""
    alive = update(table).where(_is_ours(token)).values(beats=table.c.beats + 1, beat_at=at)
    return connection.execute(alive).rowcount > 0


def release(connection: Connection, token: int) -> None:
    """End the term, so that another instance need not wait for the lease to expire."""
    connection.execute(update(table).where(_is_ours(token)).values(holder="", process="", beats=table.c.beats + 1))


def require(connection: Connection, token: int) -> None:
    """Raise `Superseded` where another instance holds the lease.

    To be called in the transaction that writes: writers take turns, so no other instance can take the lease before its
    commit.
    """
    if connection.execute(select(table.c.token).where(_is_ours(token))).first() is None:
        raise Superseded(f"another instance took over after term {token}")


def _is_ours(token: int) -> ColumnElement[bool]:
    return (table.c.name == NAME) & (table.c.token == token) & (table.c.holder != "")
