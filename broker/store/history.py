"""Reads captions as they were said, in order, however many there are."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, tuple_

from broker.retention.deletion import GONE
from broker.store.tables import core

PAGE: Final = 1000
"""Captions read in one go: enough that the question costs nothing, few enough that memory stays flat."""


def said_between(connection: Connection, start: datetime, end: datetime, *, page: int = PAGE) -> Iterator[Row[Any]]:
    """Give every caption taken from `start` up to `end`, in the order in which they were taken."""
    table = core.caption
    order = (table.c.captured_at, table.c.id)
    query = select(table).where(table.c.captured_at < end, table.c.text != GONE).order_by(*order).limit(page)
    rows = connection.execute(query.where(table.c.captured_at >= start)).all()
    while rows:
        yield from rows
        after = tuple_(*order) > (rows[-1].captured_at, rows[-1].id)
        rows = connection.execute(query.where(after)).all() if len(rows) == page else []
