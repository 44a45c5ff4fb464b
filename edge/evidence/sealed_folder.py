"""The folder of sealed files: one for each alarm, bounded by size and age, the oldest going first."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

FOLDER: Final = "evidence"
"""Its name in the state folder of the process that sees."""

RESERVE_BYTES: Final = 64 << 20
"""Free space of the disk that is left to the outbox."""

_TIME: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"(?P<at>\d{8}T\d{6}Z)_(?P<danger>[^_]+)_(?P<stream>[^_]+?)(?:_\d+)?\.age")
_UNFINISHED: Final = ".new"


class NoRoom(OSError):
    """A file for which the bounds leave no room."""


@dataclass(frozen=True, slots=True, order=True)
class Sealed:
    """A sealed file, by its name and size: what is in it, nobody knows without the private key."""

    at: datetime
    """When the picture was taken, by the device's clock, to a second."""
    path: Path
    danger: str
    stream: str
    size_bytes: int


def entries(folder: Path) -> list[Sealed]:
    """Return the sealed files of a folder, the oldest first; empty where there is none. Raises `OSError`."""
    try:
        return sorted(_entries(folder))
    except FileNotFoundError:
        return []


def _entries(folder: Path) -> Iterator[Sealed]:
    for path in folder.iterdir():
        found = _NAME.fullmatch(path.name)
        if found is None:
            continue
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError:  # it has just gone, for its age or for room
            continue
        at = datetime.strptime(found["at"], _TIME).replace(tzinfo=UTC)
        yield Sealed(at, path, found["danger"], found["stream"], size_bytes)


def free_bytes(folder: Path) -> int:
    """Return how much may still be written to the disk of a folder."""
    return shutil.disk_usage(folder).free


class SealedFolder:
    """What one camera keeps. Every file of it was sealed before it was written."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        keep_hours: float,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """`max_bytes` bounds all files together, `keep_hours` the age of each."""
        self._folder, self._max_bytes, self._kept_for = folder, max_bytes, timedelta(hours=keep_hours)
        self._free = free

    def begin(self) -> None:
        """Make the folder, for this user alone, and delete what a power cut left half written; raises `OSError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for unfinished in self._folder.glob(f"*{_UNFINISHED}"):
            unfinished.unlink(missing_ok=True)

    def expire(self, now: datetime) -> None:
        """Delete what is too old; raises `OSError`."""
        for known in entries(self._folder):
            if now - known.at > self._kept_for:
                known.path.unlink(missing_ok=True)

    def add(self, content: bytes, at: datetime, danger: str, stream: str) -> Path:
        """Write a sealed file, after the oldest have made room for it; raises `NoRoom` or another `OSError`."""
        self._make_room(len(content))
        path = self._unused(f"{at.astimezone(UTC):{_TIME}}_{_word(danger)}_{_word(stream)}")
        unfinished = path.with_suffix(_UNFINISHED)
        try:
            _write(unfinished, content)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return path

    def _make_room(self, size: int) -> None:
        """Delete the oldest files until one more of so many bytes fits into both bounds."""
        known = entries(self._folder)
        kept = sum(entry.size_bytes for entry in known)
        room = min(self._max_bytes, kept + self._free(self._folder) - RESERVE_BYTES)
        if size > room:
            raise NoRoom(f"{size} bytes, and room for {max(0, room)}")
        for oldest in known:
            if kept + size <= room:
                return
            oldest.path.unlink(missing_ok=True)
            kept -= oldest.size_bytes

    def _unused(self, stem: str) -> Path:
        """Return a path that is free: two dangers of one kind may begin in one second."""
        path, number = self._folder / f"{stem}.age", 1
        while path.exists():
            number += 1
            path = self._folder / f"{stem}_{number}.age"
        return path


def _word(text: str) -> str:
    """Make a part of a file's name: letters and digits, and hyphens for the rest."""
    return re.sub(r"[\W_]+", "-", text).strip("-") or "-"


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
