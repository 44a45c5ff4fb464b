"""Writes an image on a card, reads it back, and only then makes the card one that boots."""

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from edge.errors import Failure, TryAgain
from edge.flash import image_file
from edge.flash.image_file import CHUNK_BYTES, FIRST_BYTES, Extent
from edge.flash.progress import Progress
from foundation.errors import from_os_error

_BLKFLSBUF: Final = 0x1261
"""ioctl that drops what the kernel remembers of a disk (linux/fs.h)."""

INTERRUPTED: Final = "the card does not boot as it is; flash it again from the beginning"


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes where."""

    image: Path
    size_bytes: int
    boot: Extent
    """Taken from `boot_copy` in place of the image."""
    boot_copy: IO[bytes]
    mapped: tuple[Extent, ...]
    """What of the image is written, in order; the boot partition is written besides."""

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield what is written, with its place in bytes; the first MiB too, and first."""
        wanted = merged((Extent(0, FIRST_BYTES), self.boot, *self.mapped))
        at = 0
        with image_file.opened(self.image) as stream:
            for chunk in image_file.chunks(stream):
                for part in _overlap(wanted, Extent(at, at + len(chunk))):
                    yield part.start, self._content(part, chunk[part.start - at : part.end - at])
                at += len(chunk)

    @property
    def written_bytes(self) -> int:
        """How much is written."""
        return sum(one.size for one in merged((Extent(0, FIRST_BYTES), self.boot, *self.mapped)))

    def _content(self, part: Extent, content: bytes) -> bytes:
        changed = bytearray(content)
        for inside in _overlap((self.boot,), part):
            self.boot_copy.seek(inside.start - self.boot.start)
            changed[inside.start - part.start : inside.end - part.start] = self.boot_copy.read(inside.size)
        return bytes(changed)


def write(plan: Plan, target: Path, progress: Progress, check: Progress) -> None:
    """Write all but the first MiB, read it back, then write the first MiB, and read that back.

    Until the last step the card has no table of partitions. Raises `TryAgain`, which says so, where it is interrupted
    or the card does not return what was written.
    """
    try:
        with _exclusive(target) as card:
            first, digest, extents = _write_body(plan, card, progress)
            if _digest_of(card, extents, check) != digest:
                raise TryAgain(f"{target}: the card returns other bytes than were written: try another one")
            _put(card, 0, first)
            _settle(card)
            if _at(card, 0, len(first)) != first:
                raise TryAgain(f"{target}: the card returns other bytes than were written: try another one")
    except KeyboardInterrupt as error:
        raise TryAgain(f"{target}: interrupted; {INTERRUPTED}") from error
    except OSError as error:
        raise TryAgain(f"{from_os_error(error, str(target))}; {INTERRUPTED}") from error
    except Failure as error:
        raise TryAgain(f"{error}; {INTERRUPTED}") from error


def merged(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    """Return extents in order, those that touch made one."""
    done: list[Extent] = []
    for one in sorted(extents, key=lambda extent: extent.start):
        if done and one.start <= done[-1].end:
            done[-1] = Extent(done[-1].start, max(done[-1].end, one.end))
        else:
            done.append(one)
    return tuple(done)


def _overlap(extents: Iterable[Extent], window: Extent) -> Iterator[Extent]:
    for one in extents:
        start, end = max(one.start, window.start), min(one.end, window.end)
        if start < end:
            yield Extent(start, end)


def _write_body(plan: Plan, card: int, progress: Progress) -> tuple[bytes, str, list[Extent]]:
    """Return the first MiB, which is not written, and of all else the digest and the places."""
    is_file = stat.S_ISREG(os.fstat(card).st_mode)
    if is_file:
        os.truncate(card, 0)
        os.truncate(card, plan.size_bytes)
    else:
        _put(card, 0, bytes(FIRST_BYTES))
        _settle(card)
    first, digest, extents = b"", hashlib.sha256(), []
    for at, content in plan.pieces():
        if at < FIRST_BYTES:
            first += content
            continue
        if not is_file or any(content):  # a new file is full of zeros
            _put(card, at, content)
        digest.update(content)
        extents.append(Extent(at, at + len(content)))
        progress.add(len(content))
    _settle(card)
    progress.end()
    return first, digest.hexdigest(), extents


def _digest_of(card: int, extents: Iterable[Extent], progress: Progress) -> str:
    digest = hashlib.sha256()
    for extent in extents:
        digest.update(_at(card, extent.start, extent.size))
        progress.add(extent.size)
    progress.end()
    return digest.hexdigest()


class _exclusive:  # noqa: N801 - used as a function
    """Open a card so that nobody can mount it meanwhile."""

    def __init__(self, path: Path) -> None:
        is_disk = path.exists() and stat.S_ISBLK(path.stat().st_mode)
        # On a disk without O_CREAT, O_EXCL fails where it is mounted or held.
        self._card = os.open(path, os.O_RDWR | (os.O_EXCL if is_disk else os.O_CREAT), 0o600)

    def __enter__(self) -> int:
        return self._card

    def __exit__(self, *_: object) -> None:
        os.close(self._card)


def _put(card: int, at: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        count = os.pwrite(card, view, at)
        view, at = view[count:], at + count


def _at(card: int, at: int, count: int) -> bytes:
    found = b""
    while len(found) < count and (more := os.pread(card, min(count - len(found), CHUNK_BYTES), at + len(found))):
        found += more
    return found


def _settle(card: int) -> None:
    """Wait until all is on the card, and forget it here, so that reading asks the card."""
    os.fsync(card)
    with suppress(OSError):  # files have no buffers of a disk
        fcntl.ioctl(card, _BLKFLSBUF, 0)
    os.posix_fadvise(card, 0, 0, os.POSIX_FADV_DONTNEED)
