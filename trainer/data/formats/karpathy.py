"""Reads Karpathy's JSON of COCO, Flickr8k and Flickr30k (cs.stanford.edu/people/karpathy/deepimagesent).

An object with `images`: `{"filename": ..., "filepath": "val2014", "split": "train", "sentences": [{"raw": ...}]}`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from trainer.data.formats import coco
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Notes
from trainer.errors import DataError

SPLITS: Final = {"train": "train", "restval": "train", "val": "val", "test": ""}
"""Split of the file to split of the recipe; `restval` is the rest of COCO's val, which everybody trains on."""


class Sentence(msgspec.Struct, frozen=True):
    """A caption as it was written; other keys are ignored."""

    raw: str


class Image(msgspec.Struct, frozen=True):
    """An image with its captions; other keys are ignored."""

    filename: str
    sentences: list[Sentence]
    filepath: str = ""
    """Folder of the image; only COCO's file has it."""
    split: str = "train"


def captions(path: Path, split: str, notes: Notes) -> Iterator[CaptionRecord]:  # noqa: ARG001 - as every reader
    """Yield the images and captions of a split; raises `DataError` naming the file, the entry and the field."""
    for number, image in coco.records(path, "images", Image):
        if image.split not in SPLITS:
            raise DataError(f"{path}: images[{number}].split: {image.split!r} is none of {', '.join(SPLITS)}")
        if SPLITS[image.split] != split:
            continue
        file = f"{image.filepath}/{image.filename}" if image.filepath else image.filename
        yield CaptionRecord(file, None)
        for sentence in image.sentences:
            yield CaptionRecord(file, sentence.raw)
