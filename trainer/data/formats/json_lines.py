"""Reads JSON lines, one object a line with an image and its captions, as an imagefolder's `metadata.jsonl` has them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from trainer.data.formats import lines, tables
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Kind, Notes


class Record(msgspec.Struct, frozen=True):
    """One line."""

    file: str
    captions: tuple[str, ...]
    split: str | msgspec.UnsetType = msgspec.UNSET
    """UNSET where the line has no such key."""


def record(line: str) -> Record | None:
    """Return the record of a line; None where the line is not an object with an image and a caption.

    The keys are those of a table's columns (`tables.FILE`, `tables.CAPTION`); a caption may be a list of them.
    """
    try:
        entry = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None
    file = next((entry[key] for key in tables.FILE if key in entry), None)
    said = next((entry[key] for key in tables.CAPTION if key in entry), None)
    captions = [said] if isinstance(said, str) else said
    if not isinstance(file, str) or not file or not isinstance(captions, list):
        return None
    if not all(isinstance(caption, str) for caption in captions):
        return None
    split = entry.get(tables.SPLIT, msgspec.UNSET)
    if not isinstance(split, str | msgspec.UnsetType):
        return None
    return Record(file, tuple(captions), split)


def captions(path: Path, split: str, notes: Notes) -> Iterator[CaptionRecord]:
    """Yield the images and captions of a split, or all where no line names one; other lines are noted and left out.

    Raises `DataError` naming the line of an unknown split.
    """
    for number, line in lines.read(path):
        if not line.strip():
            continue
        found = record(line)
        if found is None:
            notes.add(Kind.NOT_A_CAPTION, f"{path}:{number}: {line[:60]}")
        elif found.split is msgspec.UNSET or tables.split_of(path, number, str(found.split)) == split:
            yield CaptionRecord(found.file, None)
            for caption in found.captions:
                yield CaptionRecord(found.file, caption)
