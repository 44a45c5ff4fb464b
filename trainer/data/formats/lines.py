"""Reads text files line by line, strictly as UTF-8."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trainer.errors import DataError

LONGEST: Final = 1 << 20
"""Characters of a line that are still text; an image or an archive opened by mistake has no line ends."""


def first(path: Path) -> str:
    """Return the first line that says something, or its first 4,096 characters; empty for an empty file.

    Raises `DataError` as `read` does.
    """
    try:
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
