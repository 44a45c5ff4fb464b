"""Checks every image file once: whether it can be decoded, its digest and its difference hash.

The facts are kept in SQLite in the run's folder: a killed check goes on where it was, and an unchanged file is not
opened again.
"""

import contextlib
import errno
import hashlib
import io
import os
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from trainer.data import image_file
from trainer.errors import DataError

BATCH: Final = 512
"""Images between two commits: what a kill costs, and the most that wait in memory."""

SIDE: Final = 9
"""Pixels of the thumbnail whose neighbours are compared: 8 x 8 differences across and as many down."""

_TABLE: Final = """CREATE TABLE IF NOT EXISTS images(
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL,
    digest BLOB NOT NULL, dhash BLOB NOT NULL, fault TEXT NOT NULL) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts about an image file."""

    size: int
    changed: int
    """Size in bytes and time of change in nanoseconds, by which a file is known to be the same."""
    digest: bytes
    """16 bytes of its SHA-256; empty where it cannot be read."""
    dhash: bytes
    """16 bytes of which neighbours in a 9 x 9 thumbnail grow brighter, across and down (Krawetz 2013, "dHash"); empty
    where it cannot be decoded."""
    fault: str
    """Why it cannot be used; empty where it can."""

    @property
    def there(self) -> bool:
        """Whether there is a file at all."""
        return self.size >= 0


class ImageFactStore:
    """The facts of all images, in an SQLite file; in memory where the path is None."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        with self._named():
            self._base = sqlite3.connect(path or ":memory:", isolation_level=None)
            self._base.execute(_TABLE)

    def __enter__(self) -> "ImageFactStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def get(self, path: Path, size: int, changed: int) -> ImageFacts | None:
        """Return the facts of a file of this size and time; None where there are none."""
        query = "SELECT digest, dhash, fault FROM images WHERE path = ? AND size = ? AND changed = ?"
        with self._named():
            row = self._base.execute(query, (os.fspath(path), size, changed)).fetchone()
        return None if row is None else ImageFacts(size, changed, *row)

    def put(self, found: Iterable[tuple[Path, ImageFacts]]) -> None:
        """Store facts, all or none."""
        rows = [(os.fspath(path), f.size, f.changed, f.digest, f.dhash, f.fault) for path, f in found]
        with self._named():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany("REPLACE INTO images VALUES (?, ?, ?, ?, ?, ?)", rows)
                self._base.execute("COMMIT")
            finally:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Raise `OSError` for a disk that is full or fails, `DataError` for another kind of file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            number = errno.ENOSPC if error.sqlite_errorcode == sqlite3.SQLITE_FULL else errno.EIO
            raise OSError(number, f"{os.strerror(number)} ({error})", str(self._path)) from error
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self._path}: {error}; remove it, the images will be looked at again") from error


def inspect(paths: Iterable[Path], store: ImageFactStore) -> Iterator[tuple[Path, ImageFacts, bool]]:
    """Yield each image's facts, and whether they were found just now, in the order of `paths`.

    An image that is not there has a fault and no digest. Raises `OSError` where the facts cannot be kept.
    """
    stream = iter(paths)
    with ThreadPoolExecutor(os.cpu_count()) as pool, image_file.quiet():
        while batch := list(islice(stream, BATCH)):
            known = [_known(path, store) for path in batch]
            new = [path for path, facts in zip(batch, known, strict=True) if facts is None]
            found = dict(zip(new, pool.map(inspect_file, new), strict=True))
            if found:
                store.put((path, facts) for path, facts in found.items() if facts.there)
            for path, facts in zip(batch, known, strict=True):
                yield path, facts or found[path], facts is None


def inspect_file(path: Path) -> ImageFacts:
    """Return the facts of a file; problems of the file are part of the facts and not raised."""
    try:
        status = path.stat()
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        there = not isinstance(error, FileNotFoundError | NotADirectoryError | ValueError)
        return ImageFacts(0 if there else -1, -1, b"", b"", getattr(error, "strerror", None) or str(error))
    digest = hashlib.sha256(content).digest()[:16]
    try:
        dhash, fault = _dhash(content), ""
    except image_file.UNREADABLE as error:
        dhash, fault = b"", image_file.reason(error)
    return ImageFacts(status.st_size, status.st_mtime_ns, digest, dhash, fault)


def _known(path: Path, store: ImageFactStore) -> ImageFacts | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return store.get(path, status.st_size, status.st_mtime_ns)


def _dhash(content: bytes) -> bytes:
    """Decode all of an image, small where the format allows it, and compare neighbours in its thumbnail."""
    with image_file.opened(io.BytesIO(content)) as image:
        image.draft("L", (SIDE, SIDE))  # JPEG alone: decodes an eighth of the size, every byte still read
        upright = ImageOps.exif_transpose(image).convert("L")
        small = np.asarray(upright.resize((SIDE, SIDE), Image.Resampling.BOX))
    across, down = small[:-1, 1:] > small[:-1, :-1], small[1:, :-1] > small[:-1, :-1]
    return np.packbits([across, down]).tobytes()
