"""Keeps the drawing of each site, and where its devices are on it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from broker.store.tables.console import plan as table
from broker.store.tables.console import plan_place


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawing without its bytes."""

    site: str
    kind: str
    """Its media type."""
    width: int
    height: int
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A spot on a plan: shares of the width and the height, 0 to 1, from the upper left corner."""

    x: float
    y: float

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise ValueError(f"({self.x}, {self.y}) is outside of the plan; both are from 0 to 1")


def put(connection: Connection, plan: Plan, picture: bytes) -> None:
    """Keep a drawing in place of the one before."""
    remove(connection, plan.site)
    row = {
        "site": plan.site,
        "kind": plan.kind,
        "width": plan.width,
        "height": plan.height,
        "picture": picture,
        "uploaded_at": plan.uploaded_at,
    }
    connection.execute(insert(table), row)


def remove(connection: Connection, site: str) -> None:
    """Forget a drawing; devices keep their places."""
    connection.execute(delete(table).where(table.c.site == site))


def every(connection: Connection) -> dict[str, Plan]:
    """Return the drawings by site."""
    columns = (table.c.site, table.c.kind, table.c.width, table.c.height, table.c.uploaded_at)
    return {row.site: Plan(*row) for row in connection.execute(select(*columns))}


def picture(connection: Connection, site: str) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of a drawing."""
    row = connection.execute(select(table.c.kind, table.c.picture).where(table.c.site == site)).first()
    return None if row is None else (row.kind, row.picture)


def places(connection: Connection) -> dict[tuple[str, str], Place]:
    """Return where devices are, by site and device."""
    rows = connection.execute(select(plan_place))
    return {(row.site, row.device): Place(row.x, row.y) for row in rows}


def set_place(connection: Connection, site: str, device: str, place: Place | None) -> None:
    """Put a device on the plan of its site, or take it off."""
    own = (plan_place.c.site == site) & (plan_place.c.device == device)
    connection.execute(delete(plan_place).where(own))
    if place is not None:
        connection.execute(insert(plan_place), {"site": site, "device": device, "x": place.x, "y": place.y})
