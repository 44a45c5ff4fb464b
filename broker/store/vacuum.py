"""Returns the room of deleted rows to the disk; what each database does differently is here."""

from typing import Final

from sqlalchemy import Connection, Engine

from broker.store.engine import reading, writing

AT_ONCE: Final = 256
"""Pages released at once: one megabyte, some milliseconds."""

MERGED: Final = 64
"""Pages of the full-text index rewritten in one go."""

INCREMENTAL: Final = 2
"""SQLite's number of the mode in which it releases pages on request."""


def give_back(engine: Engine) -> int:
    """Release some free pages, and return how many; 0 where there are none, or the database does so itself."""
    if engine.dialect.name != "sqlite":
        return 0
    with reading(engine) as connection:
        if _pragma(connection, "auto_vacuum") != INCREMENTAL or _pragma(connection, "freelist_count") == 0:
            return 0
    with writing(engine) as connection:
        before = _pragma(connection, "freelist_count")
        # SQLite releases a page with each row that is fetched, and SQLAlchemy sees no rows, for they have no columns.
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA incremental_vacuum({AT_ONCE})")
        cursor.fetchall()
        return before - _pragma(connection, "freelist_count")


def prepare(engine: Engine) -> None:
    """Make a database of an older version release pages from now on: it is rewritten, once."""
    if engine.dialect.name != "sqlite":
        return
    with reading(engine) as connection:
        if _pragma(connection, "auto_vacuum") == INCREMENTAL:
            return
    raw = engine.raw_connection()
    try:
        raw.cursor().execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        raw.cursor().execute("VACUUM")
    finally:
        raw.close()


def wipe(engine: Engine) -> None:
    """Overwrite what deleted sentences leave behind: words in the full-text index, and pages of the log."""
    if engine.dialect.name != "sqlite":
        return
    more = True
    while more:
        with writing(engine) as connection:
            more = _merge(connection)
    while give_back(engine):
        pass
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        raw.close()


def _merge(connection: Connection) -> bool:
    """Merge a part of the index, whose deleted words go for good only then; False where nothing is left to merge."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'caption_fts'"
    if not connection.exec_driver_sql(known).scalar():
        return False
    before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    connection.exec_driver_sql(f"INSERT INTO caption_fts(caption_fts, rank) VALUES('merge', -{MERGED})")
    after = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return int(after) - int(before) >= 2


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
