"""The table of contacts: what is known of recipients beyond the configuration, such as that one is away."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from broker.store.tables import core


@dataclass(frozen=True, slots=True)
class Contact:
    """One recipient's state."""

    name: str
    away_until: datetime | None = None
    """Nothing is sent to them before; what is made meanwhile waits."""
    away_because: str = ""
    heard_at: datetime | None = None
    """When they last answered, however they did."""
    stopped_at: datetime | None = None
    """When they wrote STOP; None where they did not, or wrote START since."""


def all_known(connection: Connection) -> dict[str, Contact]:
    """Return the state of every recipient that has one, by name."""
    rows = connection.execute(select(core.contact))
    return {row.name: Contact(row.name, row.away_until, row.away_because, row.heard_at, row.stopped_at) for row in rows}


def stopped(connection: Connection) -> frozenset[str]:
    """Return the names of those who wrote STOP."""
    table = core.contact
    return frozenset(connection.execute(select(table.c.name).where(table.c.stopped_at.is_not(None))).scalars())


def set_stopped(connection: Connection, name: str, *, at: datetime | None) -> None:
    """Record that someone wants no notifications from a moment on, or wants them again (None)."""
    _write(connection, name, {"stopped_at": at})


def set_away(connection: Connection, name: str, *, until: datetime | None, because: str) -> None:
    """Record that someone is away until a moment, or is back (None)."""
    _write(connection, name, {"away_until": until, "away_because": because[:400]})


def heard(connection: Connection, name: str, *, at: datetime) -> None:
    """Record that someone answered."""
    _write(connection, name, {"heard_at": at})


def _write(connection: Connection, name: str, values: dict[str, object]) -> None:
    table = core.contact
    if connection.execute(update(table).where(table.c.name == name).values(**values)).rowcount == 0:
        connection.execute(insert(table), {"name": name, "away_because": ""} | values)
