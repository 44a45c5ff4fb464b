"""Reads tables of captions: a folder's own CSV (`file,caption[,split]`), and the tables of Flickr8k and Flickr30k
(`image,caption` and `image_name| comment_number| comment`)."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from trainer.data.formats import lines
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Kind, Notes
from trainer.errors import DataError

FILE: Final = ("file", "file_name", "filename", "image", "image_name", "image_path", "filepath", "path")
CAPTION: Final = ("caption", "captions", "comment", "text", "sentence")
SPLIT: Final = "split"
"""Names of the columns."""

SPLITS: Final = {"train": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "", "": ""}
"""Values of a `split` column and the recipe's split of each; the empty string is none of them."""


FILE_NAME: Final = re.compile(r"[^\n]+\.\w{2,5}")

LONGEST_RECORD: Final = 20
"""Lines of a record with line breaks in its caption; beyond it the quotation mark was never closed."""


@dataclass(frozen=True, slots=True)
class Header:
    """The positions of a table's columns."""

    delimiter: str
    names: tuple[str, ...]
    file: int
    caption: int
    split: int | None

    @property
    def quoting(self) -> Literal[0, 3]:
        """Only commas need quotes; in Flickr30k's table a quotation mark is part of a caption."""
        return csv.QUOTE_MINIMAL if self.delimiter in ",;" else csv.QUOTE_NONE


def header(line: str) -> Header | None:
    """Read a first line; None where it names no column of images and of captions."""
    for delimiter in "|\t,;":
        names = tuple(name.strip().strip('"').lower() for name in line.split(delimiter))
        file = next((names.index(name) for name in FILE if name in names), None)
        caption = next((names.index(name) for name in CAPTION if name in names), None)
        if file is not None and caption is not None:
            return Header(delimiter, names, file, caption, names.index(SPLIT) if SPLIT in names else None)
    return None


def captions(path: Path, head: Header, split: str, notes: Notes) -> Iterator[CaptionRecord]:
    """Yield the captions of a split, or all where no column tells them apart; odd lines are noted and left out.

    A line break inside a quoted caption becomes a space. Raises `DataError` naming the line of an unknown split.
    """
    for number, row in _rows(path, head, notes):
        fields = _fields(row, head)
        if fields is None or not (file := fields[head.file]):
            if any(row):
                notes.add(Kind.NOT_A_CAPTION, f"{path}:{number}: {head.delimiter.join(row)[:60]}")
        elif head.split is None or split_of(path, number, fields[head.split]) == split:
            yield CaptionRecord(file, " ".join(fields[head.caption].split()))


def _rows(path: Path, head: Header, notes: Notes) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of the first line from 1, fields) after the header.

    A record with a quotation mark that nothing closes costs its first line alone; the lines after it are read anew.
    """
    waiting: deque[tuple[int, str]] = deque()
    source = lines.read(path)

    def next_line() -> tuple[int, str] | None:
        return waiting.popleft() if waiting else next(source, None)

    while (line := next_line()) is not None and not line[1].strip():
        pass  # the header is the first line that is not blank
    while (line := next_line()) is not None:
        number, block = line[0], [line]
        while _is_open([text for _, text in block], head, path):
            following = next_line()
            if following is not None:
                block.append(following)
            if following is None or _begins_record(following[1], head) or len(block) > LONGEST_RECORD:
                notes.add(Kind.OPEN_QUOTE, f"{path}:{number}: {line[1][:60]}")
                waiting.extendleft(reversed(block[1:]))
                block = []
                break
        if block:
            yield number, _parse([text for _, text in block], head, path, number)


def _parse(texts: Sequence[str], head: Header, path: Path, number: int) -> list[str]:
    rows = csv.reader((text + "\n" for text in texts), delimiter=head.delimiter, quoting=head.quoting)
    try:
        return next(rows, [])
    except csv.Error as error:
        raise DataError(f"{path}:{number}: {error}") from error


def _is_open(texts: Sequence[str], head: Header, path: Path) -> bool:
    """Return whether a quoted field goes on after these lines."""
    if head.quoting == csv.QUOTE_NONE or '"' not in texts[0]:
        return False
    marker = "\0end"
    row = _parse([*texts, marker], head, path, 0)
    return bool(row) and row[-1].rstrip("\n").endswith(marker)


def _begins_record(text: str, head: Header) -> bool:
    """Return whether a line reads as a whole record: as many fields as the header, and a file's name in its column."""
    row = next(csv.reader([text], delimiter=head.delimiter, quoting=csv.QUOTE_NONE), [])
    return len(row) >= len(head.names) and bool(FILE_NAME.fullmatch(row[head.file].strip().strip('"')))


def _fields(row: Sequence[str], head: Header) -> list[str] | None:
    """Strip the fields of a row; commas that a caption in the last column holds without quotes are its own."""
    width = len(head.names)
    if len(row) > width and head.caption == width - 1:
        row = [*row[: width - 1], head.delimiter.join(row[width - 1 :])]
    return [field.strip() for field in row] if len(row) == width else None


def split_of(path: Path, number: int, name: str) -> str:
    """Return which of the recipe's splits a name means; raises `DataError` for an unknown one."""
    if name.lower() not in SPLITS:
        known = ", ".join(sorted(filter(None, SPLITS)))
        raise DataError(f"{path}:{number}: split: {name!r} is none of {known}")
    return SPLITS[name.lower()]
