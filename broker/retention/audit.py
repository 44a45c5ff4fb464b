"""Keeps who did what, and from where."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from broker.store.tables.console import audit as table


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log."""

    at: datetime
    actor: str
    address: str
    """Where the request came from; "terminal" for the command line."""
    action: str
    subject: str = ""
    detail: str = ""
    id: int = 0


def add(connection: Connection, entry: Entry) -> None:
    """Write one entry, in the transaction of what it records: either both are stored or neither."""
    row = {
        "at": entry.at,
        "actor": entry.actor[:64],
        "address": entry.address[:64],
        "action": entry.action,
        "subject": entry.subject[:120],
        "detail": entry.detail[:400],
    }
    connection.execute(insert(table), row)


def newest(connection: Connection, *, before: int | None = None, actor: str = "", limit: int = 100) -> list[Entry]:
    """Return a page of lines, newest first, numbered below `before`, of one actor where one is named."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    if actor:
        query = query.where(table.c.actor == actor)
    return [Entry(**row._mapping) for row in connection.execute(query)]
