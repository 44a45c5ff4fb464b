"""Reads tables of captions: a folder's own CSV (`file,caption[,split]`), and the tables of Flickr8k and Flickr30k
(`image,caption` and `image_name| comment_number| comment`)."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from trainer.data.formats import lines
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Kind, Notes
from trainer.errors import DataError

FILE: Final = ("file", "file_name", "filename", "image", "image_name")
CAPTION: Final = ("caption", "comment")
SPLIT: Final = "split"
"""Names of the columns."""

SPLITS: Final = {"train": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "", "": ""}
"""What a `split` column may hold, and which of the recipe's splits that is; `` is none of them."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns of a table are."""

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

    Raises `DataError` naming the line of an unknown split.
    """
    text = (line + "\n" for _, line in lines.read(path))
    rows = csv.reader(text, delimiter=head.delimiter, quoting=head.quoting)
    try:
        next(rows)
        for row in rows:
            fields = _fields(row, head)
            if fields is None or not (file := fields[head.file]) or "\n" in fields[head.caption]:
                if any(row):
                    notes.add(Kind.NOT_A_CAPTION, f"{path}:{rows.line_num}: {head.delimiter.join(row)[:60]}")
            elif head.split is None or _split(path, rows.line_num, fields[head.split]) == split:
                yield CaptionRecord(file, fields[head.caption])
    except csv.Error as error:
        raise DataError(f"{path}:{rows.line_num}: {error}; is a quotation mark never closed?") from error


def _fields(row: Sequence[str], head: Header) -> list[str] | None:
    """Strip the fields of a row; commas that a caption in the last column holds without quotes are its own."""
    width = len(head.names)
    if len(row) > width and head.caption == width - 1:
        row = [*row[: width - 1], head.delimiter.join(row[width - 1 :])]
    return [field.strip() for field in row] if len(row) == width else None


def _split(path: Path, number: int, name: str) -> str:
    if name.lower() not in SPLITS:
        known = ", ".join(sorted(filter(None, SPLITS)))
        raise DataError(f"{path}:{number}: split: {name!r} is none of {known}")
    return SPLITS[name.lower()]
