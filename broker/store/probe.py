"""Tries whether the database can be written, and changes nothing."""

from sqlalchemy import Engine, false, update

from broker.store.engine import writing
from broker.store.tables import core


def write(engine: Engine) -> None:
    """Write nothing, in a transaction that may write; raises `Locked` or `Misconfigured` where that cannot be had."""
    with writing(engine) as connection:
        connection.execute(update(core.contact).where(false()).values(away_because=""))
