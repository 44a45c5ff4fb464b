"""The outbox: captions on disk, from before they are published until the server says that it has them.

One SQLite file in WAL mode, shared by the process that writes captions and the process that sends them. A caption is
accepted once `append` returns; it then survives a crash, a kill and a power cut, and leaves only when it is
acknowledged, refused by the server, or pushed out by newer ones when the outbox is full (counted as given up).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from contract import caption
from contract.caption import Caption
from contract.status import Ledger
from edge.errors import Misconfigured
from edge.outbox import sqlite_errors

SCHEMA_VERSION: Final = 1
"""`PRAGMA user_version` of the file; another one was written by another wordcam."""

BUSY_SECONDS: Final = 10.0
"""Wait for another process's transaction; the two of a device take milliseconds each."""

_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS caption (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  next_seq INTEGER NOT NULL DEFAULT 0,
  frames INTEGER NOT NULL DEFAULT 0,
  captions INTEGER NOT NULL DEFAULT 0,
  sent_bytes INTEGER NOT NULL DEFAULT 0,
  video_bytes REAL NOT NULL DEFAULT 0,
  waiting INTEGER NOT NULL DEFAULT 0,
  given_up INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO ledger (one) VALUES (1);
CREATE TABLE IF NOT EXISTS report (process TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS came AFTER INSERT ON caption BEGIN UPDATE ledger SET waiting = waiting + 1; END;
CREATE TRIGGER IF NOT EXISTS went AFTER DELETE ON caption BEGIN UPDATE ledger SET waiting = waiting - 1; END;
PRAGMA user_version = 1;
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """Frames looked at since the last time they were counted."""

    frames: int = 0
    video_bytes: float = 0.0


NOTHING: Final = Seen()
"""No frame."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caption that the server has not acknowledged."""

    seq: int
    id: str
    payload: bytes


class Outbox:
    """An open outbox; not to be shared between threads."""

    def __init__(self, path: Path, max_captions: int) -> None:
        """Open the file, or make it and the folder it is to lie in.

        Raises `Misconfigured` where it cannot be an outbox, `TryAgain` where it is locked or the disk is full.
        """
        self.path = path
        self._max_captions = max_captions
        with sqlite_errors.explained(path, BUSY_SECONDS):
            # Two users share the file: the one who looks and the one who sends. SQLite gives its log the same mode.
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o660)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database.close()

    def append(self, compose: Callable[[int], Caption], seen: Seen = NOTHING) -> Caption:
        """Accept the caption that `compose` writes for its sequence number, and return it.

        When the outbox is full the oldest goes. Raises `DiskFull` or `TryAgain` having accepted nothing.
        """
        with self._transaction() as database:
            (seq,) = database.execute("UPDATE ledger SET next_seq = next_seq + 1 RETURNING next_seq - 1").fetchone()
            event = compose(seq)
            payload = caption.encode(event)
            database.execute("INSERT INTO caption VALUES (?, ?, ?)", (seq, event.id, payload))
            database.execute("UPDATE ledger SET captions = captions + 1")
            self._count(seen)
            self._make_room()
        return event

    def count(self, seen: Seen) -> None:
        """Count frames that were looked at and not captioned."""
        with self._transaction():
            self._count(seen)

    def waiting(self, *, after: int = -1, limit: int) -> list[Waiting]:
        """Return the oldest captions with a sequence number above `after`."""
        query = "SELECT seq, id, payload FROM caption WHERE seq > ? ORDER BY seq LIMIT ?"
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            return [Waiting(*row) for row in self._database.execute(query, (after, limit))]

    def settle(self, *, stored: Iterable[str] = (), refused: Iterable[str] = (), sent_bytes: int = 0) -> None:
        """Let captions go that the server has stored or will never take, and count bytes that were sent.

        An id that is not there was let go before; that is no error.
        """
        with self._transaction() as database:
            database.executemany("DELETE FROM caption WHERE id = ?", [(known,) for known in stored])
            lost = database.executemany("DELETE FROM caption WHERE id = ?", [(known,) for known in refused]).rowcount
            database.execute(
                "UPDATE ledger SET given_up = given_up + ?, sent_bytes = sent_bytes + ?", (max(0, lost), sent_bytes)
            )

    def ledger(self) -> Ledger:
        """Return the counts since the outbox was made."""
        query = "SELECT frames, captions, sent_bytes, video_bytes, waiting, given_up FROM ledger"
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            frames, captions, sent, video, waiting, given_up = self._database.execute(query).fetchone()
        return Ledger(
            frames=frames,
            captions=captions,
            sent_bytes=sent,
            video_bytes=round(video),
            waiting=waiting,
            given_up=given_up,
        )

    def report(self, process: str, body: bytes) -> None:
        """Leave a note for the other process, in place of the last one of this name."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO report VALUES (?, ?)", (process, body))

    def reported(self, process: str) -> bytes | None:
        """Return the last note of a process, if it ever left one."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            row = self._database.execute("SELECT body FROM report WHERE process = ?", (process,)).fetchone()
        return bytes(row[0]) if row else None

    def version(self) -> int:
        """Return a number that changes when another process has written; costs microseconds."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def _prepare(self) -> None:
        """Set durability, and make the tables or check that they are ours."""
        self._database.execute("PRAGMA journal_mode = WAL")
        # FULL syncs the log at every commit: with NORMAL a power cut could take back what was accepted.
        self._database.execute("PRAGMA synchronous = FULL")
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        if found == 0:
            self._database.executescript(_SCHEMA)
        elif found != SCHEMA_VERSION:
            raise Misconfigured(
                f"{self.path}: outbox version {found} is not {SCHEMA_VERSION}; use another `outbox.path`"
            )

    def _make_room(self) -> None:
        """Push out the oldest captions beyond the limit."""
        (waiting,) = self._database.execute("SELECT waiting FROM ledger").fetchone()
        excess = waiting - self._max_captions
        if excess > 0:
            self._database.execute(
                "DELETE FROM caption WHERE seq IN (SELECT seq FROM caption ORDER BY seq LIMIT ?)", (excess,)
            )
            self._database.execute("UPDATE ledger SET given_up = given_up + ?", (excess,))

    def _count(self, seen: Seen) -> None:
        self._database.execute(
            "UPDATE ledger SET frames = frames + ?, video_bytes = video_bytes + ?", (seen.frames, seen.video_bytes)
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it ends."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
