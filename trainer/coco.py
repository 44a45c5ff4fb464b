"""Reads COCO-style captions and instances (cocodataset.org/#format-data)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from trainer.errors import DataError
from trainer.pictures import Picture, words_of

Document = TypeVar("Document")


class Image(msgspec.Struct, frozen=True):
    """One entry of `images`; keys beyond these are left alone."""

    id: int
    file_name: str
    width: int = 0
    height: int = 0


class Caption(msgspec.Struct, frozen=True):
    """One entry of a caption file's `annotations`."""

    image_id: int
    caption: str


class Instance(msgspec.Struct, frozen=True):
    """One entry of an instances file's `annotations`; `bbox` is x, y, width, height in pixels."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class Category(msgspec.Struct, frozen=True):
    """One entry of `categories`."""

    id: int
    name: str


class CaptionFile(msgspec.Struct, frozen=True):
    """A caption file."""

    images: list[Image]
    annotations: list[Caption]


class InstanceFile(msgspec.Struct, frozen=True):
    """An instances file."""

    images: list[Image]
    annotations: list[Instance]
    categories: list[Category]


@dataclass(frozen=True, slots=True)
class BoxedPicture:
    """A picture with its boxes."""

    path: Path
    boxes: tuple[tuple[str, float, float, float, float], ...]
    """(class name, left, top, width, height), each as a share of the picture, 0 to 1."""
    labelled: frozenset[str]
    """Classes that whoever drew the boxes looked for: no box means no object for these alone."""


def read(path: Path, kind: type[Document]) -> Document:
    """Read a JSON file of a kind; raises `DataError` naming the file and the field."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from error


def captions(path: Path, images: Path, name: str) -> list[Picture]:
    """Read a caption file; captions of unknown pictures and pictures without a word are refused by name."""
    document = read(path, CaptionFile)
    known = {image.id for image in document.images}
    sentences: defaultdict[int, list[tuple[str, ...]]] = defaultdict(list)
    for annotation in document.annotations:
        if annotation.image_id not in known:
            raise DataError(f"{path}: annotations: image_id {annotation.image_id} is not among `images`")
        if words := words_of(annotation.caption):
            sentences[annotation.image_id].append(words)
    wordless = [image.file_name for image in document.images if not sentences[image.id]]
    if wordless:
        raise DataError(f"{path}: {len(wordless)} pictures have no caption, the first is {wordless[0]}")
    return [Picture(images / image.file_name, tuple(sentences[image.id]), name) for image in document.images]


def instances(path: Path, images: Path, absent: Iterable[str] = ()) -> list[BoxedPicture]:
    """Read an instances file; crowds are left out, and classes `absent` count as looked for and not there."""
    document = read(path, InstanceFile)
    names = {category.id: category.name for category in document.categories}
    sizes = {image.id: (image.width, image.height) for image in document.images}
    if sizeless := [image.file_name for image in document.images if image.width <= 0 or image.height <= 0]:
        raise DataError(f"{path}: images: {sizeless[0]} has no width and height, by which boxes are measured")
    boxes: defaultdict[int, list[tuple[str, float, float, float, float]]] = defaultdict(list)
    for annotation in document.annotations:
        if annotation.image_id not in sizes or annotation.category_id not in names:
            raise DataError(f"{path}: annotations: image or category of {annotation} is not in the file")
        if not annotation.iscrowd:
            width, height = sizes[annotation.image_id]
            x, y, w, h = annotation.bbox
            boxes[annotation.image_id].append(
                (names[annotation.category_id], x / width, y / height, w / width, h / height)
            )
    labelled = frozenset((*names.values(), *absent))
    return [BoxedPicture(images / image.file_name, tuple(boxes[image.id]), labelled) for image in document.images]
