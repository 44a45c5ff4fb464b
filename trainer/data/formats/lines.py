"""Reads text files line by line, strictly as UTF-8."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from trainer.errors import DataError

LONGEST: Final = 1 << 20
"""Longest line in characters; an image or an archive opened by mistake has no line ends."""


BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

BINARY: Final = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another ZIP archive; in Excel, save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); in Excel, save it as CSV UTF-8",
    b"\x1f\x8b": "compressed by gzip; unpack it",
    b"PAR1": "a Parquet table; export it as CSV or JSON lines",
    b"\xff\xd8\xff": "a JPEG image, not a file of captions",
    b"\x89PNG": "a PNG image, not a file of captions",
    b"\xff\xfe": "UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)",
    b"\xfe\xff": "UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)",
}
"""First bytes of files that are not text in UTF-8, and what to do about each."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file of UTF-8 for reading bytes, past its byte order mark; raises `DataError` for a binary file."""
    with path.open("rb") as stream:
        _refuse_binary(path, stream.read(8))
        stream.seek(0)
        if stream.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
            stream.seek(0)
        yield stream


def _refuse_binary(path: Path, start: bytes) -> None:
    for magic, meaning in BINARY.items():
        if start.startswith(magic):
            raise DataError(f"{path}: {meaning}")


def first(path: Path) -> str:
    """Return the first line that is not blank, or its first 4,096 characters; empty for an empty file.

    Raises `DataError` as `read` does.
    """
    try:
        with opened(path):
            pass
        with path.open(encoding="utf-8-sig") as stream:
            while (line := stream.readline(4096)) and not line.strip():
                pass
            return line.strip()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8; save it as UTF-8 (in Excel: CSV UTF-8)") from error


def read(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line without its end); a byte order mark is skipped.

    Raises `DataError` naming the file where it cannot be read or is not UTF-8.
    """
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline=None) as stream:
            while line := stream.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise DataError(
                        f"{path}:{number}: a line of more than {LONGEST:,} characters; this is no text file"
                    )
                yield number, line.rstrip("\n")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 after line {number}; save it as UTF-8 (in Excel: CSV UTF-8)") from error
