"""Keeps the last word of every device about itself."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select

from broker.store import tables
from contract.status import Ledger, Stage, State, Status


@dataclass(frozen=True, slots=True)
class Device:
    """The last word of one device."""

    site: str
    device: str
    state: State
    since: datetime
    heard_at: datetime
    """By this server's clock."""
    reason: str
    version: str
    model: str
    ledger: Ledger
    stages: tuple[Stage, ...]


def record(connection: Connection, status: Status, *, heard_at: datetime) -> bool:
    """Keep a status, unless it is the last will of a connection that a newer one has replaced.

    Nor does a connection that has ended come back to life, where instances take in its messages out of order.
    """
    table = tables.device
    own = (table.c.site == status.site) & (table.c.device == status.device)
    known = connection.execute(select(table).where(own)).first()
    if known is not None and status.since < known.since and status.state is State.OFFLINE:
        return False
    if known is not None and status.since == known.since and known.state == State.OFFLINE.value:
        return False
    row = {
        "site": status.site,
        "device": status.device,
        "state": status.state.value,
        "since": status.since,
        "heard_at": heard_at,
        "reason": status.reason,
        # A last will is written in advance and knows less than what was said since.
        "version": status.version or (known.version if known else ""),
        "model": status.model or (known.model if known else ""),
        "ledger": msgspec.to_builtins(status.ledger) if status.ledger else (known.ledger if known else {}),
        "stages": msgspec.to_builtins(status.stages) or (known.stages if known else []),
    }
    connection.execute(delete(table).where(own))
    connection.execute(insert(table), row)
    return True


def states(connection: Connection) -> dict[tuple[str, str], tuple[State, Ledger]]:
    """Give the state and the ledger of every device, by site and device."""
    rows = connection.execute(select(tables.device).order_by(tables.device.c.site, tables.device.c.device))
    return {(row.site, row.device): (State(row.state), msgspec.convert(row.ledger, Ledger)) for row in rows}


def everyone(connection: Connection) -> list[Device]:
    """Give every device, by site and device."""
    rows = connection.execute(select(tables.device).order_by(tables.device.c.site, tables.device.c.device))
    return [msgspec.convert(row, Device, from_attributes=True) for row in rows]
