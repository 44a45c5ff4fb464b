"""Reads the captions of a recipe's source in any of the known formats."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from trainer.data.formats import aihub, coco, detection, flickr, json_lines, karpathy, tables
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.formats.detection import EXPECTED, Format
from trainer.data.quality.issues import Notes
from trainer.errors import DataError
from trainer.recipe.data import Captions

Split = Literal["train", "val"]

WRONG_PLACE: Final = {
    Format.NAME_LIST: "a list of names; the file of their captions belongs into `captions`",
    Format.SCENES: "a JSON list, as labelled scenes are (`data.hazards`)",
    Format.COCO_INSTANCES: "COCO instances; boxes belong into `data.boxes`",
}
"""Formats that hold no captions, and where such a file belongs."""


def read(source: Captions, split: Split, notes: Notes) -> Iterator[CaptionRecord]:
    """Yield the images and captions of a split; irregularities are noted.

    Raises `DataError` naming the file and what was expected of it.
    """
    path = getattr(source, split)
    if source.captions is None:
        yield from _captions(path, split, notes, both_splits=source.train == source.val)
        return
    listing = flickr.Listing(path, notes)
    unseen = dict(listing.names)
    if not unseen:
        raise DataError(f"{path}: names no image; with `captions` given, expected one name a line")
    for record in _captions(source.captions, split, notes):
        name = listing.name_of(record.file)
        if name is not None:
            unseen.pop(name, None)
            yield record
    for name in unseen:
        yield CaptionRecord(name, None)


def _captions(path: Path, split: Split, notes: Notes, *, both_splits: bool = False) -> Iterator[CaptionRecord]:
    """Read one file; `both_splits` says that the recipe names it for train and for val."""
    detected = detection.detect(path)
    if detected.format in WRONG_PLACE:
        raise DataError(f"{path}: {WRONG_PLACE[detected.format]}; expected {EXPECTED}")
    if both_splits and not detected.has_splits:
        raise DataError(
            f"{path}: is both `train` and `val`; expected a table or JSON lines with a column `split`, "
            "Karpathy's JSON, or AI-Hub's list of COCO"
        )
    if detected.header is not None:
        return tables.captions(path, detected.header, split, notes)
    if detected.format is Format.AIHUB:
        return aihub.captions(path, split, notes, alone=both_splits)
    if detected.format is Format.COCO_CAPTIONS:
        return coco.captions(path, notes)
    if detected.format is Format.FLICKR_TOKENS:
        return flickr.captions(path, notes)
    by_split = {Format.KARPATHY: karpathy.captions, Format.JSON_LINES: json_lines.captions}
    return by_split[detected.format](path, split, notes)
