"""Opens an SQLite file so that what is committed survives a power cut."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from broker.config.errors import Locked, Misconfigured, Unavailable

BROKEN: Final = ("not a database", "malformed")
"""Messages of SQLite about a file that is not a database, or is damaged."""

TEMPORARY: Final = ("locked", "busy", "full", "disk i/o error", "readonly", "unable to open")
"""Messages of SQLite where another process or the disk is the cause, not the statement."""


def open_file(path: Path, *, wait_seconds: float) -> Engine:
    """Open the database, and make the file where there is none, readable by its owner alone.

    Raises `Unavailable` where its folder cannot be made. A file that is there keeps its mode.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{path.parent}: cannot hold the database: {error.strerror}") from error
    _make_private(path)
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": wait_seconds, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path) -> None:
    """Make an empty file of mode 0600; the files that SQLite keeps beside it get the mode of the database."""
    with suppress(OSError):  # a file is there, or nothing can be written: opening the database says which
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def explain(error: DBAPIError, name: str) -> Locked | Misconfigured | None:
    """Return the error for who can fix it; None where it is a bug."""
    if not isinstance(error, DatabaseError):
        return None
    problem = str(error.orig)
    if isinstance(error, OperationalError) and any(word in problem.lower() for word in TEMPORARY):
        return Locked(f"{name}: {problem}")
    if any(word in problem.lower() for word in BROKEN):
        return Misconfigured(f"{name}: {problem}; put a copy back, or name another file")
    return None


def _prepare(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy passes it
    # Transactions are begun below: the sqlite3 module would begin them only at the first write, too late for a lock.
    connection.isolation_level = None
    # Before anything is written; a file that has tables keeps its mode until `space.prepare` writes it anew.
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL may lose the last commits at a power cut, and they have been acknowledged to the device.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Of the file in memory, in KiB: 2 MiB by default, and then the indexes of a million captions are read from the disk
    # for every batch.
    connection.execute("PRAGMA cache_size = -32768")
    # Pages in the WAL file before they are moved to the database: 1,000 by default, which a flood fills in no time.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    # What is deleted is overwritten: a sentence that someone wants forgotten is not to be found in a free page.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
