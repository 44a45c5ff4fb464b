"""Opens the database, whichever it is, and the two kinds of transactions on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolEmpty

from broker.config.database import DATABASE_PASSWORD, Database
from broker.config.errors import Locked, Misconfigured
from broker.store import postgresql, sqlite
from foundation import secret

_EXPLAIN: Final = {"sqlite": sqlite.explain, "postgresql": postgresql.explain}


def open_database(settings: Database) -> Engine:
    """Open the database of a configuration; raises `Unavailable`, or `Misconfigured` where its password is missing."""
    if settings.path is not None:
        return open_engine(settings.path, wait_seconds=settings.wait_seconds)
    password = secret.read(settings.password_file, DATABASE_PASSWORD, field="database.password_file")
    return postgresql.open_database(settings.url, password, wait_seconds=settings.wait_seconds)


def open_engine(path: Path, *, wait_seconds: float = 5.0) -> Engine:
    """Open an SQLite file, making it where there is none; raises `Unavailable` where its folder cannot be made."""
    return sqlite.open_file(path, wait_seconds=wait_seconds)


def name_of(engine: Engine) -> str:
    """Return what messages call a database; never with its password."""
    url = engine.url
    if url.drivername == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that keeps all other writers waiting from its start; raises `Locked` where it cannot be had.

    Where the connection breaks at the very commit, `Locked` does not say whether it has happened.
    """
    with _explained(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one moment and blocks no other; raises `Locked` where nothing can be read."""
    with _explained(engine), engine.connect().execution_options(reading=True) as connection:
        yield connection


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except PoolEmpty as error:
        raise Locked(f"{name_of(engine)}: all connections are busy") from error
    except DBAPIError as error:
        known: Locked | Misconfigured | None = _EXPLAIN[engine.dialect.name](error, name_of(engine))
        if known is not None:
            raise known from error
        raise
