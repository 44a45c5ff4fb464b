"""COCO's JSON formats: pictures with captions, and pictures with boxes."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from converter.errors import Unusable
from converter.evaluation import sampling

Kind = TypeVar("Kind")


class Image(msgspec.Struct, frozen=True):
    """One entry of `images`; other keys are allowed and not looked at."""

    id: int
    file_name: str


class Annotation(msgspec.Struct, frozen=True):
    """One entry of a caption file's `annotations`."""

    image_id: int
    caption: str


class Captions(msgspec.Struct, frozen=True):
    """A caption file."""

    images: tuple[Image, ...]
    annotations: tuple[Annotation, ...]


class Category(msgspec.Struct, frozen=True):
    """One entry of `categories`."""

    id: int
    name: str


class Instance(msgspec.Struct, frozen=True):
    """One entry of an instance file's `annotations`."""

    id: int
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]


class Instances(msgspec.Struct, frozen=True):
    """An instance file."""

    images: tuple[Image, ...]
    annotations: tuple[Instance, ...]
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture and what people wrote of it."""

    path: Path
    captions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Boxed:
    """An instance file whose pictures are all there."""

    file: Path
    instances: Instances
    paths: dict[int, Path]
    """Where each picture is, by its id."""
    raw: dict[str, Any]
    """The whole file, for pycocotools."""


def captioned(file: Path, folder: Path | None = None) -> list[Captioned]:
    """Read a caption file; pictures are in `folder`, or in `images/` beside it.

    Raises `Unusable` for a file of another shape, a picture that is missing or has no caption, and a caption of a
    picture that is not listed.
    """
    found = _read(file, Captions, "COCO captions")
    written: dict[int, list[str]] = defaultdict(list)
    for annotation in found.annotations:
        written[annotation.image_id].append(annotation.caption)
    _check_ids(file, found.images, set(written))
    bare = [image.file_name for image in found.images if image.id not in written]
    if bare:
        raise Unusable(f"{file}: {len(bare)} of {len(found.images)} pictures have no caption, {bare[0]} first")
    paths = _paths(file, found.images, folder)
    return [Captioned(paths[image.id], tuple(written[image.id])) for image in found.images]


def boxed(file: Path, folder: Path | None = None) -> Boxed:
    """Read an instance file; pictures are in `folder`, or in `images/` beside it. Raises `Unusable` as `captioned`."""
    found = _read(file, Instances, "COCO instances")
    _check_ids(file, found.images, {annotation.image_id for annotation in found.annotations})
    return Boxed(file, found, _paths(file, found.images, folder), msgspec.json.decode(file.read_bytes()))


def _read(file: Path, kind: type[Kind], what: str) -> Kind:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise Unusable(f"{file}: not {what}: {error}") from error


def _check_ids(file: Path, images: tuple[Image, ...], annotated: set[int]) -> None:
    known = {image.id for image in images}
    if not known:
        raise Unusable(f"{file}: `images` is empty")
    if len(known) != len(images):
        raise Unusable(f"{file}: an id stands twice in `images`")
    strange = annotated - known
    if strange:
        raise Unusable(f"{file}: `annotations` speak of picture {min(strange)}, which `images` does not list")


def _paths(file: Path, images: tuple[Image, ...], folder: Path | None) -> dict[int, Path]:
    home = folder if folder is not None else file.parent / "images"
    paths = {image.id: home / image.file_name for image in images}
    sampling.refuse_missing(list(paths.values()))
    return paths
