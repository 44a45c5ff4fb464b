"""Reads AI-Hub's Korean translation of COCO's captions (aihub.or.kr, data set 261, `MSCOCO_train_val_Korean.json`).

A list of `{"id", "file_path", "captions", "caption_ko"}`: `file_path` is `train2014/COCO_train2014_....jpg` or the same
of `val2014`, `captions` are COCO's own, `caption_ko` their machine translations, corrected by people; some are empty.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from trainer.data.formats import coco
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Kind, Notes

FOLDERS: Final = {"train": "train2014/", "val": "val2014/"}
"""Where COCO keeps the images of each split."""


class Entry(msgspec.Struct, frozen=True):
    """An image with its translated captions; other keys are ignored."""

    file_path: str
    caption_ko: list[str]


def captions(path: Path, split: str, notes: Notes, *, alone: bool) -> Iterator[CaptionRecord]:
    """Yield each image and its Korean captions; with `alone`, the file of both splits, those of COCO's `split` only.

    Raises `DataError` naming the file, the entry and the field.
    """
    known: set[str] = set()
    for number, entry in coco.records(path, "", Entry):
        if alone and not entry.file_path.startswith(FOLDERS[split]):
            continue
        if entry.file_path in known:
            notes.add(Kind.REPEATED, f"{path}: [{number}] {entry.file_path}")
        known.add(entry.file_path)
        yield CaptionRecord(entry.file_path, None)
        for text in entry.caption_ko:
            yield CaptionRecord(entry.file_path, text)
