"""Reads COCO-style captions and instances (cocodataset.org/#format-data), record by record.

Memory does not grow with the captions or boxes: names and numbers of the images alone are kept.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import ijson
import msgspec

from trainer.data.dataset import BoxDatasetBuilder
from trainer.data.formats import lines
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Kind, Notes
from trainer.errors import DataError

Record = TypeVar("Record")
Key = int | str

TOLERANCE: Final = 1.0
"""Pixels by which a box may reach beyond its image without a finding: annotation tools round."""


class Image(msgspec.Struct, frozen=True):
    """One entry of `images`; other keys are ignored."""

    id: Key
    file_name: str
    width: float = 0
    height: float = 0


class Caption(msgspec.Struct, frozen=True):
    """One entry of a caption file's `annotations`."""

    image_id: Key
    caption: str


class Instance(msgspec.Struct, frozen=True):
    """One entry of an instances file's `annotations`; `bbox` is x, y, width, height in pixels."""

    image_id: Key
    category_id: Key
    bbox: tuple[float, float, float, float]
    iscrowd: int | bool = 0


class Category(msgspec.Struct, frozen=True):
    """One entry of `categories`."""

    id: Key
    name: str


def records(path: Path, section: str, kind: type[Record]) -> Iterator[tuple[int, Record]]:
    """Yield the numbered entries of a list in a JSON file, of the file itself for the section "".

    Raises `DataError` naming the file, the entry and the field; also where there is no such list.
    """
    number = -1
    prefix, at = (f"{section}.item", f"$.{section}") if section else ("item", "$")
    try:
        with lines.opened(path) as stream:
            for number, entry in enumerate(ijson.items(stream, prefix, use_float=True)):
                yield number, msgspec.convert(entry, kind)
        if number < 0 and not _lists(path, section):
            wanted = f"an object with a list `{section}`" if section else "a list"
            raise DataError(f"{path}: expected {wanted}")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except msgspec.ValidationError as error:
        message, _, field = str(error).partition(" - at `$")
        raise DataError(f"{path}: {message} - at `{at}[{number}]{field.rstrip('`')}`") from error
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not whole JSON in UTF-8: {' '.join(str(error).split())}") from error


def first_entry(path: Path, section: str) -> dict[str, object]:
    """Return the first entry of a list as `records` finds it; empty where the list has none or is not there."""
    try:
        return next(records(path, section, dict[str, object]), (0, {}))[1]
    except DataError:
        return {}


def captions(path: Path, notes: Notes) -> Iterator[CaptionRecord]:
    """Yield every image that a caption file lists, then every caption of one."""
    files: dict[Key, str] = {}
    names: set[str] = set()
    for number, image in records(path, "images", Image):
        if image.id in files or image.file_name in names:
            notes.add(Kind.REPEATED, f"{path}: images[{number}] {image.file_name}")
        files[image.id] = image.file_name
        names.add(image.file_name)
        yield CaptionRecord(image.file_name, None)
    del names
    for number, annotation in records(path, "annotations", Caption):
        file = files.get(annotation.image_id)
        if file is None:
            notes.add(Kind.UNLISTED, f"{path}: annotations[{number}] image_id {annotation.image_id}")
        else:
            yield CaptionRecord(file, annotation.caption)


def instances(path: Path, images: Path, builder: BoxDatasetBuilder, notes: Notes, absent: Iterable[str] = ()) -> None:
    """Read an instances file; crowds are left out, and classes `absent` count as looked for and not there.

    Raises `DataError` for an image without a size and for a category that the file does not list.
    """
    names = {category.id: category.name for _, category in records(path, "categories", Category)}
    rows = _sized_images(path, images, frozenset((*names.values(), *absent)), builder, notes)
    usable = 0
    for number, annotation in records(path, "annotations", Instance):
        entry = f"{path}: annotations[{number}]"
        if annotation.category_id not in names:
            raise DataError(f"{entry}: category_id {annotation.category_id} is not among `categories`: {listed(names)}")
        if annotation.image_id not in rows:
            notes.add(Kind.UNLISTED, f"{entry} image_id {annotation.image_id}")
        elif not annotation.iscrowd:
            row, size = rows[annotation.image_id]
            sides = shares(annotation.bbox, size, entry, notes)
            if sides is not None:
                builder.add_box(row, names[annotation.category_id], sides)
                usable += 1
    if usable >= notes.count(Kind.NORMALIZED_BOX):  # a box or two of less than a pixel, not a file in another unit
        notes.decide(Kind.NORMALIZED_BOX, "left out")


def _sized_images(
    path: Path, images: Path, labelled: frozenset[str], builder: BoxDatasetBuilder, notes: Notes
) -> dict[Key, tuple[int, tuple[float, float]]]:
    """Add the images of an instances file; returns the row, width and height of each by its id."""
    rows: dict[Key, tuple[int, tuple[float, float]]] = {}
    for number, image in records(path, "images", Image):
        if image.width <= 0 or image.height <= 0:
            raise DataError(f"{path}: images: {image.file_name} has no width and height, by which boxes are measured")
        if image.id in rows:
            notes.add(Kind.REPEATED, f"{path}: images[{number}] {image.file_name}")
            continue
        rows[image.id] = builder.add_image(images, image.file_name, labelled), (image.width, image.height)
    return rows


def listed(names: dict[Key, str]) -> str:
    """Return the known categories as text for an error."""
    return ", ".join(f"{key} {name}" for key, name in list(names.items())[:20])


def shares(
    bbox: Sequence[float], size: tuple[float, float], entry: str, notes: Notes
) -> tuple[float, float, float, float] | None:
    """Return a box in pixels as shares of its image, 0 to 1, clipped to it; None for one that cannot be used."""
    (left, top, across, down), (width, height) = bbox, size
    if not all(map(math.isfinite, bbox)) or across <= 0 or down <= 0:
        notes.add(Kind.EMPTY_BOX, f"{entry} bbox {list(bbox)}")
        return None
    if min(left, top) >= 0 and max(left + across, top + down) <= 1 < min(width, height):
        notes.add(Kind.NORMALIZED_BOX, f"{entry} bbox {list(bbox)} of {width:g} x {height:g}")
        return None
    beyond = max(-left, -top, left + across - width, top + down - height)
    if beyond <= TOLERANCE:
        return left / width, top / height, across / width, down / height
    notes.add(Kind.OUTSIDE, f"{entry} bbox {list(bbox)} of {width:g} x {height:g}")
    right, bottom = min(left + across, width), min(top + down, height)
    left, top = max(left, 0.0), max(top, 0.0)
    if right <= left or bottom <= top:
        return None
    return left / width, top / height, (right - left) / width, (bottom - top) / height


def _lists(path: Path, section: str) -> bool:
    """Return whether the file holds the list at all, however empty."""
    with lines.opened(path) as stream:
        return any(prefix == section and event == "start_array" for prefix, event, _ in ijson.parse(stream))
