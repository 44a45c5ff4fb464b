"""What SQLite's errors mean for the operator of a device."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge.errors import DiskFull, Failure, Misconfigured, OutboxDamaged, TryAgain
from foundation.errors import from_os_error

PRIMARY: Final = 0xFF
"""Lower byte of an extended result code: the primary one (sqlite.org/rescode.html)."""

FULL_BYTES: Final = 64 << 10
"""With less free than this, an I/O error is a full disk under another name: SQLite needs 32 KiB for its index."""

FOLDER: Final = "this user must be able to write in its folder"


@contextmanager
def explained(path: Path, busy_seconds: float) -> Iterator[None]:
    """Turn SQLite's and the system's errors on a file into one of the device's `Failure`s."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(path) from error
        raise from_os_error(error, str(path), remedy=FOLDER) from error
    except sqlite3.DatabaseError as error:
        raise _explain(path, busy_seconds, error) from error


def _explain(path: Path, busy_seconds: float, error: sqlite3.DatabaseError) -> Failure:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY
    if code == sqlite3.SQLITE_FULL or (
        code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _free_bytes(path) < FULL_BYTES
    ):
        return _full(path)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TryAgain(
            f"{path}: locked by another process for {busy_seconds:g} s; see who holds it with `fuser {path}`"
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return OutboxDamaged(f"{path}: not an outbox, or a damaged one ({error}); the next start sets it aside")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Misconfigured(f"{path}: {error}; {FOLDER}")
    return TryAgain(f"{path}: {error}")


def _full(path: Path) -> DiskFull:
    return DiskFull(f"{path}: the disk is full; captions already accepted are kept, free some space")


def _free_bytes(path: Path) -> int:
    """Space left for this user where the file is; 0 where that is unknown."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return FULL_BYTES
    return found.f_bavail * found.f_frsize
