"""The first recipe for a folder of images and captions: finds the files, and makes a validation split where none is."""

import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ijson

from trainer.data.formats import captions, coco, detection
from trainer.data.formats.detection import Format
from trainer.data.quality.issues import Findings
from trainer.errors import DataError
from trainer.recipe.data import FEW_IMAGES, Captions

SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt", ".token", ".json", ".jsonl"})
"""Endings of files that may hold captions."""

DEPTH: Final = 2
"""Folders below the given one that are searched."""

VAL_SHARE: Final = 10
"""Every tenth image is held out where the data has no validation split."""

_SPLIT: Final = re.compile(r"(?:^|[^a-z])(train|val|valid|validation|dev|test)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """Data of a folder, as a recipe's sections name it."""

    captions: Captions
    boxes: tuple[Path, Path] | None
    """COCO instances for train and val."""
    classes: tuple[str, ...]
    """Classes of the boxes."""
    images_count: int
    """Images with captions, of both splits."""
    captions_count: int
    language: str
    val_is_made: bool
    """Whether `train.txt` and `val.txt` were written to split one file."""


def find(folder: Path, lists: Path) -> Found:
    """Find the data in a folder; lists of a split that has to be made are written into the folder `lists`.

    Raises `DataError` naming what is missing.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds images and captions")
    files = [path for path in _files(folder) if path.suffix.lower() in SUFFIXES]
    spoken = {path: kind for path in files if (kind := _kind(path)) != ""}
    captioned = [path for path, kind in spoken.items() if kind in {"captions", "split"}]
    if not captioned:
        raise DataError(f"{folder}: no file of captions is found; expected {detection.EXPECTED}")
    boxed = _pair([path for path, kind in spoken.items() if kind == "boxes"])
    source, made = _source(folder, lists, captioned, [path for path, kind in spoken.items() if kind == "split"])
    counts = _count(source)
    return Found(
        source,
        boxed,
        _classes(boxed[0]) if boxed else (),
        images_count=counts.images,
        captions_count=counts.captions,
        language="ko" if counts.korean * 2 > counts.captions else "en",
        val_is_made=made,
    )


def text(found: Found, recipe: Path, name: str) -> str:
    """Return the recipe's text; its paths are relative to its own folder."""

    def path(to: Path) -> str:
        return json.dumps(os.path.relpath(to, recipe.resolve().parent), ensure_ascii=False)

    source = found.captions
    one = f", captions: {path(source.captions)}" if source.captions is not None else ""
    images = path(source.images)
    few = found.captions_count < 5 * FEW_IMAGES
    rows = [
        f"# A first recipe: {found.images_count:,} images, {found.captions_count:,} captions. docs/trainer-data.md and",
        "# config/trainer.yaml in the source show what else may stand here. Paths are relative to this file.",
        f"name: {name}",
        "version: 0.1.0",
        f"language: {found.language}",
        "seed: 1",
        "data:",
        "  captions:",
        f"    - {{name: {name}, images: {images}, train: {path(source.train)}, val: {path(source.val)}{one}}}",
    ]
    if found.boxes:
        train, val = map(path, found.boxes)
        rows += ["  boxes:", f"    - {{name: {name}, images: {images}, train: {train}, val: {val}}}"]
    rows += [
        "  unreadable: refuse    # or skip: images that are missing or broken are left out",
        "  licences:             # what may be done with your data: this stands on the model's card",
        f'    - {{what: "{name}", terms: "REPLACE THIS: who may use the images and captions, and for what"}}',
        '    - {what: "EfficientNet-Lite0 ImageNet weights", terms: "Apache-2.0"}',
        f"vocabulary: {{min_count: {2 if few else 4}}}    # a word of the model occurs so often in the captions",
        "encoder: {name: efficientnet-lite0, height: 256, width: 256, weights: imagenet, flips: true}",
        f"training: {{epochs: {20 if few else 12}}}",
    ]
    if found.classes:
        rows.append(f"detector: {{classes: [{', '.join(json.dumps(name) for name in found.classes)}]}}")
    elif found.images_count < FEW_IMAGES:
        rows += [
            "# With few images, fine-tune the shipped model instead of training one from scratch: name its folder in",
            "# `start` and remove the # of the next three lines. Its hazards and boxes are kept as they are.",
            "# hazard_classifier: {}",
            "# detector: {classes: [person, gun, weapon, fire, smoke]}",
            "# finetuning: {start: wordcam-1, epochs: 5, learning_rate: 1.0e-4}",
        ]
    rows.append("decoding: {beam_width: 10, max_tokens: 20, consensus: 4.0}")
    return "\n".join(rows) + "\n"


def _files(folder: Path, depth: int = 0) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and depth < DEPTH and not path.name.startswith("."):
            yield from _files(path, depth + 1)
        elif path.is_file():
            yield path


def _folders(folder: Path, depth: int = 0) -> Iterator[Path]:
    yield folder
    if depth <= DEPTH:
        with os.scandir(folder) as entries:  # asks the file system for no image of a hundred thousand
            below = sorted(Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
        for path in below:
            yield from _folders(path, depth + 1)


def _kind(path: Path) -> str:
    """Return what a file holds: `captions`, `split` (captions of every split), `boxes`, or "" for anything else."""
    try:
        found = detection.detect(path)
    except DataError:
        return ""
    if found.format is Format.COCO_INSTANCES:
        return "boxes"
    if found.format in (Format.NAME_LIST, Format.SCENES):
        return ""
    if found.format is Format.COCO_CAPTIONS and "caption" not in coco.first_entry(path, "annotations"):
        return ""  # any other JSON object
    return "split" if found.has_splits else "captions"


def _pair(paths: Sequence[Path]) -> tuple[Path, Path] | None:
    """Pick a file for train and one for val by their names."""
    train, val = ([path for path in paths if _split(path) == split] for split in ("train", "val"))
    return (train[0], val[0]) if train and val else None


def _split(path: Path) -> str:
    found = _SPLIT.search(path.stem)
    word = found[1].lower() if found else ""
    return {"train": "train", "": "", "test": "test"}.get(word, "val")


def _source(folder: Path, lists: Path, captioned: list[Path], whole: list[Path]) -> tuple[Captions, bool]:
    """Choose the files of train and val; returns whether the split had to be made."""
    pair = (whole[0], whole[0]) if whole else _pair(captioned)
    if pair is not None:
        first = [next(iter(_files_of(pair[split], pair, split)), "") for split in (0, 1)]
        return Captions(name="data", images=_images(folder, first), train=pair[0], val=pair[1]), False
    single = next((path for path in captioned if _split(path) != "test"), captioned[0])
    # Read as one split: the file has no other.
    names = list(dict.fromkeys(_files_of(single, (single, folder), 0)))
    images = _images(folder, names[:1])
    train, val = _write_split(lists, names, single)
    return Captions(name="data", images=images, train=train, val=val, captions=single), True


def _files_of(path: Path, pair: tuple[Path, Path], split: int) -> Iterator[str]:
    source = Captions(name="data", images=path.parent, train=pair[0], val=pair[1])
    return (record.file for record in captions.read(source, "val" if split else "train", Findings().of("init")))


def _write_split(folder: Path, names: Sequence[str], source: Path) -> tuple[Path, Path]:
    """Hold out every tenth image, the same ones each time, and at least one."""
    if len(names) < 2:
        raise DataError(f"{source}: {len(names)} images have captions; at least two are needed, one to train on")
    order = sorted(names, key=lambda name: (zlib.crc32(name.encode()), name))
    held_out = set(order[: max(1, len(order) // VAL_SHARE)])
    train, val = folder / "train.txt", folder / "val.txt"
    for path, chosen in ((train, [name for name in names if name not in held_out]), (val, sorted(held_out))):
        path.write_text("".join(f"{name}\n" for name in chosen), encoding="utf-8")
    return train, val


def _images(folder: Path, files: Sequence[str]) -> Path:
    """Find the folder in which all of these image files are; raises `DataError` where there is none."""
    folders = list(_folders(folder))
    for candidate in folders:
        if all((candidate / file).is_file() for file in files):
            return candidate
    if len(files) > 1 and all(any((candidate / file).is_file() for candidate in folders) for file in files):
        raise DataError(f"{folder}: the images of train and of val are in two folders; put both into one")
    raise DataError(f"{folder}: the image {files[0]} of the captions is in no folder here")


@dataclass(slots=True)
class _Counts:
    images: int = 0
    captions: int = 0
    korean: int = 0


def _count(source: Captions) -> _Counts:
    counts = _Counts()
    for split in ("train", "val"):
        seen = set()
        for record in captions.read(source, split, Findings().of("init")):
            if record.text is not None:
                seen.add(record.file)
                counts.captions += 1
                counts.korean += re.search("[가-힣]", record.text) is not None
        counts.images += len(seen)
    return counts


def _classes(path: Path) -> tuple[str, ...]:
    """Return the classes of COCO instances by name."""
    with path.open("rb") as stream:
        return tuple(str(category["name"]) for category in ijson.items(stream, "categories.item"))
