"""Keeps login attempts that failed or are not decided yet, and the browsers that have logged in before."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from broker.store.tables import console
from broker.web.accounts.throttle import Failure, Origin

BROWSER_KEPT: Final = timedelta(days=365)
"""A browser that has not logged in for so long is a stranger again."""


def of(connection: Connection, origin: Origin, *, since: datetime) -> list[Failure]:
    """Return the attempts since a moment on the same account, or from the same network."""
    table = console.login_failure
    same = or_(table.c.name == origin.name, table.c.network == origin.network)
    columns = [table.c[name] for name in ("at", "name", "address", "network", "browser")]
    rows = connection.execute(select(*columns).where(table.c.at > since, same).order_by(table.c.id))
    return [Failure(*row) for row in rows]


def begin(connection: Connection, origin: Origin, *, at: datetime, forget_before: datetime) -> int:
    """Count an attempt before its password is compared, and return its number; old ones are deleted."""
    table = console.login_failure
    connection.execute(delete(table).where(table.c.at <= forget_before))
    row = {
        "at": at,
        "name": origin.name[:64],
        "address": origin.address[:64],
        "network": origin.network[:64],
        "browser": origin.browser,
    }
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def succeeded(connection: Connection, number: int, origin: Origin) -> None:
    """Delete an attempt that was right, and the wrong ones before it from the same place."""
    table = console.login_failure
    same = (table.c.name == origin.name) & (table.c.network == origin.network) & (table.c.browser == origin.browser)
    connection.execute(delete(table).where(or_(table.c.id == number, same)))


def is_known(connection: Connection, browser: str, account_id: int) -> bool:
    """Return whether a browser, by the digest of its cookie, has logged in to an account before."""
    return connection.execute(select(console.known_browser).where(_one(browser, account_id))).first() is not None


def know(connection: Connection, browser: str, account_id: int, *, at: datetime) -> None:
    """Write down that a browser has logged in to an account."""
    table = console.known_browser
    connection.execute(delete(table).where(table.c.seen_at <= at - BROWSER_KEPT))
    if connection.execute(update(table).where(_one(browser, account_id)).values(seen_at=at)).rowcount == 0:
        connection.execute(insert(table), {"digest": browser, "account_id": account_id, "seen_at": at})


def _one(browser: str, account_id: int) -> ColumnElement[bool]:
    table = console.known_browser
    return (table.c.digest == browser) & (table.c.account_id == account_id)
