"""The tables of the outbox, and how a file of an earlier version gets them.

A row is never longer than a message of the contract, so that no picture can wait here: SQLite refuses it, and the
process that sends reads no longer one.
"""

import sqlite3
from pathlib import Path
from typing import Final

from contract import wire
from edge.errors import Misconfigured

VERSION: Final = 3
"""`PRAGMA user_version` of the file; another one was written by another wordcam."""

MAX_REPORT_BYTES: Final = 8192
"""Limit of a note of a process; one is about 1 KiB."""

_CAPTION: Final = f"""
CREATE TABLE caption (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) <= 64),
  payload BLOB NOT NULL CHECK (typeof(payload) = 'blob' AND length(payload) <= {wire.MAX_BYTES}),
  danger INTEGER NOT NULL DEFAULT 0,
  boot TEXT NOT NULL DEFAULT '',
  uptime_seconds REAL NOT NULL DEFAULT 0
)"""

_REPORT: Final = f"""
CREATE TABLE report (
  process TEXT PRIMARY KEY,
  body BLOB NOT NULL CHECK (typeof(body) = 'blob' AND length(body) <= {MAX_REPORT_BYTES})
)"""

_LEDGER: Final = """
CREATE TABLE ledger (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  next_seq INTEGER NOT NULL DEFAULT 0,
  frames INTEGER NOT NULL DEFAULT 0,
  captions INTEGER NOT NULL DEFAULT 0,
  sent_bytes INTEGER NOT NULL DEFAULT 0,
  video_bytes REAL NOT NULL DEFAULT 0,
  waiting INTEGER NOT NULL DEFAULT 0,
  given_up INTEGER NOT NULL DEFAULT 0
)"""

_NEW_COUNTS: Final = tuple(
    f"ALTER TABLE ledger ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0"
    for name in ("waiting_bytes", "not_schema", "set_aside")
)

_COUNTED: Final = (
    "CREATE INDEX caption_danger ON caption (danger, seq)",
    """CREATE TRIGGER came AFTER INSERT ON caption BEGIN
  UPDATE ledger SET waiting = waiting + 1, waiting_bytes = waiting_bytes + length(NEW.payload); END""",
    """CREATE TRIGGER went AFTER DELETE ON caption BEGIN
  UPDATE ledger SET waiting = waiting - 1, waiting_bytes = waiting_bytes - length(OLD.payload); END""",
)

_FROM_1: Final = (
    "DROP TRIGGER came",
    "DROP TRIGGER went",
    "ALTER TABLE caption RENAME TO caption_1",
    "ALTER TABLE report RENAME TO report_1",
    _CAPTION,
    _REPORT,
    *_NEW_COUNTS,
    f"""INSERT INTO caption (seq, id, payload) SELECT seq, id, payload FROM caption_1
WHERE typeof(payload) = 'blob' AND length(payload) <= {wire.MAX_BYTES} AND length(id) <= 64""",  # noqa: S608  # constants
    f"""INSERT INTO report SELECT process, body FROM report_1
WHERE typeof(body) = 'blob' AND length(body) <= {MAX_REPORT_BYTES}""",  # noqa: S608
    """UPDATE ledger SET waiting = (SELECT count(*) FROM caption),
  waiting_bytes = (SELECT coalesce(sum(length(payload)), 0) FROM caption),
  not_schema = (SELECT count(*) FROM caption_1) - (SELECT count(*) FROM caption)
    + (SELECT count(*) FROM report_1) - (SELECT count(*) FROM report),
  given_up = given_up + (SELECT count(*) FROM caption_1) - (SELECT count(*) FROM caption)""",
    "DROP TABLE caption_1",
    "DROP TABLE report_1",
    *_COUNTED,
)

_STEPS: Final = {
    0: (_CAPTION, _REPORT, _LEDGER, *_NEW_COUNTS, "INSERT INTO ledger (one) VALUES (1)", *_COUNTED),
    1: _FROM_1,
    2: (
        "ALTER TABLE caption ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE caption ADD COLUMN uptime_seconds REAL NOT NULL DEFAULT 0",
    ),
}
"""What leads from each earlier version to this one; 0 is an empty file."""


def prepare(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or bring those of an earlier version up to this one; all or nothing.

    Raises `Misconfigured` for a file of a later version, and what SQLite raises.
    """
    if _version(database) == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        _bring_up(database, path)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _bring_up(database: sqlite3.Connection, path: Path) -> None:
    found = _version(database)  # the other process may have been here first
    if found == VERSION:
        return
    if found not in _STEPS:
        raise Misconfigured(f"{path}: outbox version {found} is not {VERSION}; use another `outbox.path`")
    for step in _STEPS[found]:
        database.execute(step)
    database.execute(f"PRAGMA user_version = {VERSION}")


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
