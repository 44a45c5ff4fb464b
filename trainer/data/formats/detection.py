"""Detects the format of a file of captions or boxes by its content."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

from trainer.data.formats import coco, flickr, json_lines, lines, tables
from trainer.data.formats.tables import Header
from trainer.errors import DataError


class Format(Enum):
    """A format; the value names it in messages."""

    COCO_CAPTIONS = "COCO captions"
    COCO_INSTANCES = "COCO instances (boxes)"
    KARPATHY = "Karpathy's JSON of COCO, Flickr8k or Flickr30k"
    AIHUB = "AI-Hub's Korean captions of COCO"
    JSON_LINES = "JSON lines with an image and its caption each"
    TABLE = "a table with a column of images and one of captions"
    FLICKR_TOKENS = "Flickr8k's lines of `image.jpg#0<TAB>caption`"
    NAME_LIST = "a list of image names"
    SCENES = "labelled scenes (`data.hazards`)"


@dataclass(frozen=True, slots=True)
class Detected:
    """The format of a file, and what its first line or entry says of its layout."""

    format: Format
    has_splits: bool
    """Whether the file itself says which split each image belongs to."""
    header: Header | None = None
    """Of a table."""


EXPECTED: Final = (
    "COCO captions (a JSON object with `images` and `annotations`), Karpathy's JSON (`images` with `sentences`), "
    "AI-Hub's list with `caption_ko`, JSON lines with `file_name` and `text`, lines of `image.jpg#0<TAB>caption`, "
    "or a table whose first line names `file,caption` and perhaps `split`"
)
"""Formats of a file of captions, as errors name them."""


def detect(path: Path) -> Detected:
    """Return the format of a file, by its first line that is not empty and its first JSON entry.

    Raises `DataError` where the file cannot be read, is not text in UTF-8, or is in no known format; the message says
    what was expected.
    """
    first = lines.first(path)
    if head := tables.header(first):
        return Detected(Format.TABLE, head.split is not None, head)
    if first.startswith(("[", "{")):
        return _json(path, first)
    if flickr.LINE.fullmatch(first):
        return Detected(Format.FLICKR_TOKENS, has_splits=False)
    if flickr.NAME.fullmatch(first) and Path(first).suffix:
        return Detected(Format.NAME_LIST, has_splits=False)
    raise DataError(f"{path}: {_describe(first)}; expected {EXPECTED}")


def _json(path: Path, first: str) -> Detected:
    if first.startswith("["):
        entry = coco.first_entry(path, "")
        if "caption_ko" in entry:
            return Detected(Format.AIHUB, has_splits=True)
        return Detected(Format.SCENES, has_splits=False)
    record = json_lines.record(first)
    if record is not None:
        return Detected(Format.JSON_LINES, record.split is not msgspec.UNSET)
    if "sentences" in coco.first_entry(path, "images"):
        return Detected(Format.KARPATHY, has_splits=True)
    boxes = "bbox" in coco.first_entry(path, "annotations")
    return Detected(Format.COCO_INSTANCES if boxes else Format.COCO_CAPTIONS, has_splits=False)


def _describe(first: str) -> str:
    if not first:
        return "empty"
    if any(sign in first for sign in ",;\t|") and not any(sign.isdigit() for sign in first):
        return f"the first line {first[:60]!r} names no column of images and of captions"
    return f"begins with {first[:60]!r}"
