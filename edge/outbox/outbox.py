"""The outbox: captions on disk, from before they are published until the server says that it has them.

One SQLite file in WAL mode, shared by the process that writes captions and the process that sends them. A caption is
accepted once `append` returns; it then survives a crash, a kill and a power cut, and leaves only when it is
acknowledged, refused by the server, or pushed out by newer ones when the outbox is full (counted as given up); captions
of dangers are pushed out last.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from contract import caption, wire
from contract.caption import Caption
from contract.status import Ledger
from edge.errors import OutboxDamaged, TryAgain
from edge.outbox import schema, sqlite_errors, uptime, urgency
from edge.outbox.uptime import Uptime

BUSY_SECONDS: Final = 10.0
"""Wait for another process's transaction; the two of a device take milliseconds each."""

_WAITING: Final = (
    "seq, substr(id, 1, 65), "
    f"CASE WHEN typeof(payload) = 'blob' AND length(payload) <= {wire.MAX_BYTES} THEN payload ELSE x'' END, "
    "substr(boot, 1, 65), CASE WHEN typeof(uptime_seconds) IN ('real', 'integer') THEN uptime_seconds ELSE 0 END"
)
_BODY: Final = f"CASE WHEN typeof(body) = 'blob' AND length(body) <= {schema.MAX_REPORT_BYTES} THEN body ELSE x'' END"
"""Columns, without what is too long to be ours: a file may have lost its checks."""


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
    age_seconds: float | None
    """Since it was accepted, by a clock that nobody sets; None where that is not known, as after a restart."""


class Outbox:
    """An open outbox; not to be shared between threads."""

    def __init__(
        self,
        path: Path,
        max_captions: int,
        max_bytes: int | None = None,
        uptime_now: Callable[[], Uptime] = uptime.now,
    ) -> None:
        """Open the file, or make it and the folder it is to lie in.

        `max_bytes` bounds the payloads of the captions that wait.

        Raises `Misconfigured` where it cannot be an outbox, `TryAgain` where it is locked or the disk is full.
        """
        self.path = path
        self._max_captions, self._max_bytes, self._uptime_now = max_captions, max_bytes, uptime_now
        with sqlite_errors.explained(path, BUSY_SECONDS):
            # Two users share the file: the one who looks and the one who sends. SQLite gives its log the same mode.
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o660)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._inode = path.stat().st_ino
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def check(self) -> None:
        """Read the whole file; raises `OutboxDamaged` where it is not whole."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            (found,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise OutboxDamaged(f"{self.path}: damaged ({found})")

    def count_set_aside(self, number: int) -> None:
        """Note that this is the outbox after the damaged one of that number."""
        with self._transaction() as database:
            database.execute("UPDATE ledger SET set_aside = ?", (number,))

    def append(self, compose: Callable[[int], Caption], seen: Seen = NOTHING) -> Caption:
        """Accept the caption that `compose` writes for its sequence number, and return it.

        When the outbox is full the oldest goes, and of dangers only where nothing else waits. Raises `DiskFull` or
        `TryAgain` having accepted nothing.
        """
        with self._transaction() as database:
            (seq,) = database.execute("UPDATE ledger SET next_seq = next_seq + 1 RETURNING next_seq - 1").fetchone()
            event = compose(seq)
            payload = caption.encode(event)
            now = self._uptime_now()
            row = (seq, event.id, payload, urgency.is_danger(event), now.boot, now.seconds)
            columns = "seq, id, payload, danger, boot, uptime_seconds"
            database.execute(f"INSERT INTO caption ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608  # constants
            database.execute("UPDATE ledger SET captions = captions + 1")
            self._count(seen)
            self._make_room()
        return event

    def count(self, seen: Seen) -> None:
        """Count frames that were looked at and not captioned."""
        with self._transaction():
            self._count(seen)

    def waiting(self, *, after: int = -1, limit: int, danger: bool | None = None) -> list[Waiting]:
        """Return the oldest captions with a sequence number above `after`; with `danger`, those alone, or all others.

        A payload that no caption can have is not read; it is returned empty.
        """
        chosen = "" if danger is None else "danger = 1 AND" if danger else "danger = 0 AND"
        query = f"SELECT {_WAITING} FROM caption WHERE {chosen} seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  # constants
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            rows = self._database.execute(query, (after, limit)).fetchall()
        now = self._uptime_now()
        return [
            Waiting(seq, event_id, payload, now.since(Uptime(boot, seconds)))
            for seq, event_id, payload, boot, seconds in rows
        ]

    def refuse(self, seq: int) -> None:
        """Delete a row that is no caption, and count it."""
        with self._transaction() as database:
            gone = database.execute("DELETE FROM caption WHERE seq = ?", (seq,)).rowcount
            database.execute("UPDATE ledger SET given_up = given_up + ?, not_schema = not_schema + ?", (gone, gone))

    def refuse_report(self, process: str) -> None:
        """Delete a note that cannot be read, and count it."""
        with self._transaction() as database:
            gone = database.execute("DELETE FROM report WHERE process = ?", (process,)).rowcount
            database.execute("UPDATE ledger SET not_schema = not_schema + ?", (gone,))

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
        query = "SELECT frames, captions, sent_bytes, video_bytes, waiting, given_up, not_schema, set_aside FROM ledger"
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            row = self._database.execute(query).fetchone()
        frames, captions, sent, video, waiting, given_up, not_schema, set_aside = row
        return Ledger(
            frames=frames,
            captions=captions,
            sent_bytes=sent,
            video_bytes=round(video),
            waiting=waiting,
            given_up=given_up,
            not_schema=not_schema or msgspec.UNSET,
            set_aside=set_aside or msgspec.UNSET,
        )

    def report(self, process: str, body: bytes) -> None:
        """Leave a note for the other process, in place of the last one of this name."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO report VALUES (?, ?)", (process, body))

    def reported(self, process: str) -> bytes | None:
        """Return the last note of a process, if it ever left one; empty where it is too long."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            row = self._database.execute(f"SELECT {_BODY} FROM report WHERE process = ?", (process,)).fetchone()  # noqa: S608
        return bytes(row[0]) if row else None

    def reporters(self, process: str) -> list[str]:
        """Return the names under which processes of a kind have left notes: `look:cam-1` of `look`."""
        query = "SELECT process FROM report WHERE substr(process, 1, ?) = ? AND length(process) <= 80 ORDER BY process"
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            return [row[0] for row in self._database.execute(query, (len(process) + 1, f"{process}:"))]

    def forget_report(self, process: str) -> None:
        """Delete a note."""
        with self._transaction() as database:
            database.execute("DELETE FROM report WHERE process = ?", (process,))

    def version(self) -> int:
        """Return a number that changes when another process has written; costs microseconds."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def _prepare(self) -> None:
        """Set durability, and make the tables or check that they are ours."""
        self._database.execute("PRAGMA journal_mode = WAL")
        # FULL syncs the log at every commit: with NORMAL a power cut could take back what was accepted.
        self._database.execute("PRAGMA synchronous = FULL")
        schema.prepare(self._database, self.path)

    def _make_room(self) -> None:
        """Push out captions beyond the limits: the oldest, and dangers last."""
        while True:
            row = self._database.execute("SELECT waiting, waiting_bytes FROM ledger").fetchone()
            waiting, waiting_bytes = row
            excess = waiting - self._max_captions
            if excess <= 0 and self._max_bytes is not None and waiting_bytes > self._max_bytes and waiting > 1:
                excess = 1
            if excess <= 0:
                return
            oldest = "SELECT seq FROM caption ORDER BY danger, seq LIMIT ?"
            gone = self._database.execute(f"DELETE FROM caption WHERE seq IN ({oldest})", (excess,)).rowcount  # noqa: S608
            self._database.execute("UPDATE ledger SET given_up = given_up + ?", (gone,))

    def _count(self, seen: Seen) -> None:
        self._database.execute(
            "UPDATE ledger SET frames = frames + ?, video_bytes = video_bytes + ?", (seen.frames, seen.video_bytes)
        )

    def _require_same_file(self) -> None:
        """Raise `TryAgain` where the other process has set this file aside: what is written to it would never leave."""
        try:
            same = self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            raise TryAgain(f"{self.path}: another file is there now; it is opened anew")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it ends."""
        with sqlite_errors.explained(self.path, BUSY_SECONDS):
            self._require_same_file()
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
