"""Tries whether the database can be written, and changes nothing."""

from sqlalchemy import Engine, false, update

from broker.store import tables
from broker.store.engine import writing


def write(engine: Engine) -> None:
    """Write nothing, in a transaction that may write; raises `Locked` or `Misconfigured` where that cannot be had."""
    with writing(engine) as connection:
        connection.execute(update(tables.contact).where(false()).values(away_because=""))
