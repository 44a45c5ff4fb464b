"""Reads an image, compressed or not, and says how large it is and where its boot partition lies."""

import gzip
import hashlib
import io
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from edge.errors import Misconfigured
from edge.flash.progress import Progress
from foundation.errors import from_os_error

CHUNK_BYTES: Final = 1 << 20

FIRST_BYTES: Final = 1 << 20
"""Of an image: its table of partitions, without which nothing boots. Partitions begin behind it."""

FAT_TYPES: Final = frozenset({0x0B, 0x0C, 0x0E})
"""Types of a partition with FAT in a master boot record."""

_MAGIC: Final = {"xz": b"\xfd7zXZ\x00", "gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of an image, from `start` to before `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Survey:
    """An image that was read whole once."""

    size_bytes: int
    sha256: str
    boot: Extent
    """The first partition with FAT."""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open an image for reading in order; raises `Misconfigured` where it, or the program for it, is not there."""
    try:
        with path.open("rb") as file:
            kind = next((name for name, magic in _MAGIC.items() if file.peek(6).startswith(magic)), "")
            if kind == "zstd":
                with _unpacked_by_zstd(path) as stream:
                    yield stream
            elif kind:
                opener = lzma.open if kind == "xz" else gzip.open
                with opener(file) as stream:
                    yield cast("IO[bytes]", stream)
            else:
                yield file
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
        raise Misconfigured(f"{path}: is damaged or cut off ({error}); fetch it again") from error
    except OSError as error:
        raise from_os_error(error, str(path)) from error


def survey(path: Path, boot_copy: IO[bytes], progress: Progress) -> Survey:
    """Read an image whole, and copy its boot partition; raises `Misconfigured` where it is damaged or no image.

    Where `FILE.sha256` lies beside it, as sha256sum writes it, the digest must be that of the file.
    """
    _require_digest(path, progress)
    whole, size, boot = hashlib.sha256(), 0, None
    with opened(path) as stream:
        for chunk in chunks(stream):
            whole.update(chunk)
            if boot is None:
                boot = _boot_partition(path, chunk)
            _copy_part(boot, size, chunk, boot_copy)
            size += len(chunk)
            progress.add(len(chunk))
    if boot is None or size < boot.end:
        raise Misconfigured(f"{path}: is cut off, or no image of a card")
    boot_copy.flush()
    return Survey(size, whole.hexdigest(), boot)


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield a stream in chunks of `CHUNK_BYTES`, only the last shorter."""
    while chunk := stream.read(CHUNK_BYTES):
        while len(chunk) < CHUNK_BYTES and (more := stream.read(CHUNK_BYTES - len(chunk))):
            chunk += more
        yield chunk


def _copy_part(extent: Extent, at: int, chunk: bytes, to: IO[bytes]) -> None:
    start, end = max(extent.start - at, 0), min(extent.end - at, len(chunk))
    if start < end:
        to.write(chunk[start:end])


def _boot_partition(path: Path, first: bytes) -> Extent:
    """Find the boot partition in a master boot record."""
    if len(first) < FIRST_BYTES or first[510:512] != b"\x55\xaa":
        raise Misconfigured(f"{path}: is no image of a card: it has no table of partitions")
    for entry in range(446, 510, 16):
        kind, start, count = (
            first[entry + 4],
            int.from_bytes(first[entry + 8 : entry + 12], "little"),
            int.from_bytes(first[entry + 12 : entry + 16], "little"),
        )
        if kind in FAT_TYPES and start * 512 >= FIRST_BYTES:
            return Extent(start * 512, (start + count) * 512)
    raise Misconfigured(f"{path}: has no boot partition (FAT, in a master boot record) for the device's file")


def _require_digest(path: Path, progress: Progress) -> None:
    beside = path.with_name(path.name + ".sha256")
    if not beside.exists():
        return
    words = beside.read_text(encoding="utf-8", errors="replace").split()
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found.update(chunk)
            progress.add(0)
    if not words or words[0].lower() != found.hexdigest():
        raise Misconfigured(f"{path}: is not the file of {beside.name}; fetch it again")


@contextmanager
def _unpacked_by_zstd(path: Path) -> Iterator[IO[bytes]]:
    if shutil.which("zstd") is None:
        raise Misconfigured(f"{path}: the program zstd is missing here (Debian: sudo apt install zstd)")
    with subprocess.Popen(["zstd", "-dc", "--", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("no pipe to zstd")
        yield io.BufferedReader(cast("io.RawIOBase", process.stdout), CHUNK_BYTES)
        said = process.stderr.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise Misconfigured(f"{path}: is damaged or cut off ({said}); fetch it again")
