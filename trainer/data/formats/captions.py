"""Reads the captions of a recipe's source, whichever of the known formats its files are in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from trainer.data.formats import aihub, coco, flickr, lines, tables
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Notes
from trainer.errors import DataError
from trainer.recipe.data import Captions

Split = Literal["train", "val"]

EXPECTED: Final = (
    "COCO captions (a JSON object with `images` and `annotations`), AI-Hub's list of them with `caption_ko`, "
    "lines of `image.jpg#0<TAB>caption`, or a table whose first line names `file,caption` and perhaps `split`"
)
"""Formats of a file of captions, as errors name them."""


def read(source: Captions, split: Split, notes: Notes) -> Iterator[CaptionRecord]:
    """Yield the images and captions of a split; what is odd about them is noted.

    Raises `DataError` naming the file and what was expected of it.
    """
    path = getattr(source, split)
    if source.captions is None:
        alone = source.train == source.val
        yield from _captions(path, split, notes, alone=alone)
        return
    listing = flickr.Listing(path, notes)
    unseen = dict(listing.names)
    if not unseen:
        raise DataError(f"{path}: names no image; with `captions` given, expected one name a line")
    for said in _captions(source.captions, split, notes):
        name = listing.name_of(said.file)
        if name is not None:
            unseen.pop(name, None)
            yield said
    for name in unseen:
        yield CaptionRecord(name, None)


def _captions(path: Path, split: Split, notes: Notes, *, alone: bool = False) -> Iterator[CaptionRecord]:
    """Choose by the first line that says something; `alone` is the one file of both splits."""
    first = lines.first(path)
    head = tables.header(first)
    if head is not None and (head.split is not None or not alone):
        yield from tables.captions(path, head, split, notes)
    elif first.startswith("[") and aihub.wrote(path):
        yield from aihub.captions(path, split, notes, alone=alone)
    elif alone:
        raise DataError(
            f"{path}: is both `train` and `val`; expected a table with a column `split`, or AI-Hub's list of COCO"
        )
    elif first.startswith("{"):
        yield from coco.captions(path, notes)
    elif flickr.LINE.fullmatch(first):
        yield from flickr.captions(path, notes)
    else:
        raise DataError(f"{path}: {_seems(first)}; expected {EXPECTED}")


def _seems(first: str) -> str:
    if not first:
        return "empty"
    if first.startswith("["):
        return "a JSON list, as labelled scenes are (`data.hazards`)"
    if flickr.NAME.fullmatch(first) and Path(first).suffix:
        return "a list of names; the file of their captions belongs into `captions`"
    return f"begins with {first[:60]!r}"
