"""Reads labelled hazard scenes: captions written from their labels, and the boxes of their sources."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from trainer.data.caption_templates import Templates
from trainer.data.dataset import BoxDatasetBuilder, CaptionDatasetBuilder, Tokenize
from trainer.data.formats import coco
from trainer.data.quality.issues import Kind, Notes
from trainer.errors import DataError

CLOSE_SHARE: Final = 0.15
"""Share of the image that a weapon must fill to be called a close-up."""


class Box(msgspec.Struct, frozen=True):
    """A box; `bbox` is x, y, width, height in pixels."""

    name: str
    bbox: tuple[float, float, float, float]


class Scene(msgspec.Struct, frozen=True):
    """One entry of a hazard file; other keys are ignored."""

    file: str
    label: str
    source: str = ""
    """Origin of the scene, by which its sentences and its annotated classes are chosen."""
    width: float = 0
    height: float = 0
    """In pixels; needed where there are boxes."""
    boxes: list[Box] = []


def captions(path: Path, templates: Templates, name: str, builder: CaptionDatasetBuilder, notes: Notes) -> None:
    """Read a hazard file as images with sentences.

    Raises `DataError` naming every label that has no sentence, and a scene with boxes but without a size.
    """
    said: dict[str, list[Sequence[str]]] = {}
    unknown: dict[str, list[str]] = {}
    for number, scene in coco.records(path, "", Scene):
        entry = f"{path}: [{number}] {scene.file}"
        key = _key(scene, templates, entry)
        if key is None:
            unknown.setdefault(scene.label, []).append(scene.file)
            continue
        if key not in said:
            said[key] = [builder.tokenize(sentence) for sentence in templates.wordings(key)]
            _note_unnamed(key, said[key], templates, builder.tokenize, notes)
        row = builder.add_image(path.parent, scene.file, name, scene.label)
        for sentence in said[key]:
            builder.add_caption(row, sentence)
    if unknown:
        raise DataError(_unknown_labels(path, unknown, templates))


def boxed(path: Path, drawn: Mapping[str, Sequence[str]], builder: BoxDatasetBuilder, notes: Notes) -> None:
    """Read the scenes of a hazard file whose source has boxes; `drawn` names the classes of each source."""
    labelled = {source: frozenset(classes) for source, classes in drawn.items()}
    for number, scene in coco.records(path, "", Scene):
        classes = labelled.get(scene.source, frozenset())
        entry = f"{path}: [{number}] {scene.file}"
        row = builder.add_image(path.parent, scene.file, classes) if classes else -1
        for at, box in enumerate(scene.boxes):
            if box.name not in classes:
                notes.add(Kind.UNLABELLED_CLASS, f"{entry}: {box.name}, source {scene.source!r}")
                continue
            sides = coco.shares(box.bbox, _size(scene, entry), f"{entry}: boxes[{at}]", notes)
            if sides is not None:
                builder.add_box(row, box.name, sides)


def _size(scene: Scene, entry: str) -> tuple[float, float]:
    if scene.width <= 0 or scene.height <= 0:
        raise DataError(f"{entry}: has no width and height, by which its boxes are measured")
    return scene.width, scene.height


def _key(scene: Scene, templates: Templates, entry: str) -> str | None:
    """Return the most specific key that has a template."""
    largest = 0.0
    for box in scene.boxes:
        width, height = _size(scene, entry)
        if box.name != "person":
            largest = max(largest, box.bbox[2] / width * box.bbox[3] / height)
    keys = [
        *([f"{scene.label}/{scene.source}/people"] if any(box.name == "person" for box in scene.boxes) else []),
        *([f"{scene.label}/close"] if largest >= CLOSE_SHARE else []),
        f"{scene.label}/{scene.source}",
        scene.label,
    ]
    return next((key for key in keys if key in templates.sentences), None)


def _note_unnamed(
    key: str, sentences: Sequence[Sequence[str]], templates: Templates, tokenize: Tokenize, notes: Notes
) -> None:
    """Note sentences of a hazard without any of its terms: device and server would not recognise the hazard in them."""
    terms = [f" {' '.join(tokenize(term))} " for term in templates.terms.get(key.partition("/")[0], ())]
    for sentence in sentences:
        text = " ".join(sentence)
        if terms and not any(term in f" {text} " for term in terms):
            notes.add(Kind.TERM_MISSING, f"sentences.{key}: {text}")


def _unknown_labels(path: Path, unknown: Mapping[str, Sequence[str]], templates: Templates) -> str:
    known = templates.labels()
    parts = []
    for label, files in sorted(unknown.items()):
        nearest = difflib.get_close_matches(label, known, n=1)
        meant = f"; did you mean {nearest[0]!r}?" if nearest else ""
        parts.append(f"{label!r} of {len(files)} scenes, the first is {files[0]}{meant}")
    return f"{path}: label: {' · '.join(parts)}; labels with sentences are {', '.join(known)}"
