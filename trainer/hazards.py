"""Reads labelled danger scenes, and writes their sentences from their labels by editable templates."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from trainer import coco
from trainer.coco import BoxedPicture
from trainer.errors import DataError
from trainer.pictures import Picture, words_of

CLOSE_SHARE: Final = 0.15
"""Share of the picture that a weapon must fill to be called a close-up."""

SOURCE_CLASSES: Final = {
    "gun": frozenset({"gun"}),
    "weapon": frozenset({"weapon", "person"}),
    "fire": frozenset({"fire", "smoke"}),
}
"""Which classes each source drew boxes for; all others are unknown there, not absent."""

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class Box(msgspec.Struct, frozen=True):
    """A box; `bbox` is x, y, width, height in pixels."""

    name: str
    bbox: tuple[float, float, float, float]


class Scene(msgspec.Struct, frozen=True):
    """One entry of a hazard file; keys beyond these are left alone."""

    file: str
    width: int
    height: int
    label: str
    source: str
    boxes: list[Box] = []


class Templates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences by label, and the words that may stand in their placeholders."""

    sentences: dict[str, list[str]]
    """Key: `label`, `label/close` (the danger fills much of the picture), `label/source` or `label/source/people`."""
    words: dict[str, list[str]]
    """`{person}` in a sentence becomes each of `words.person` in turn."""
    terms: dict[str, list[str]]
    """Words by which a sentence speaks of each danger, for the bundle."""


def load_templates(path: Path) -> Templates:
    """Read the templates; raises `DataError` naming the file and the field."""
    try:
        templates = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Templates)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{path}: {' '.join(str(error).split())}") from error
    for key, sentences in templates.sentences.items():
        for name in {name for sentence in sentences for name in PLACEHOLDER.findall(sentence)}:
            if name not in templates.words:
                raise DataError(f"{path}: sentences.{key}: {{{name}}} is not among `words`")
    return templates


def captions(path: Path, templates: Templates, name: str) -> list[Picture]:
    """Read a hazard file as pictures with sentences; raises `DataError` for a label without a template."""
    scenes = coco.read(path, list[Scene])
    return [
        Picture(path.parent / scene.file, _sentences(scene, templates, path), name, scene.label) for scene in scenes
    ]


def boxed(path: Path) -> list[BoxedPicture]:
    """Read those scenes of a hazard file whose source drew boxes."""
    scenes = coco.read(path, list[Scene])
    return [
        BoxedPicture(path.parent / scene.file, _shares(scene), SOURCE_CLASSES[scene.source])
        for scene in scenes
        if scene.source in SOURCE_CLASSES
    ]


def _shares(scene: Scene) -> tuple[tuple[str, float, float, float, float], ...]:
    w, h = scene.width, scene.height
    return tuple((box.name, box.bbox[0] / w, box.bbox[1] / h, box.bbox[2] / w, box.bbox[3] / h) for box in scene.boxes)


def _sentences(scene: Scene, templates: Templates, path: Path) -> tuple[tuple[str, ...], ...]:
    """Give every wording of the most particular key that has a template."""
    largest = max((w * h for name, _, _, w, h in _shares(scene) if name != "person"), default=0.0)
    keys = [
        *([f"{scene.label}/{scene.source}/people"] if any(box.name == "person" for box in scene.boxes) else []),
        *([f"{scene.label}/close"] if largest >= CLOSE_SHARE else []),
        f"{scene.label}/{scene.source}",
        scene.label,
    ]
    key = next((key for key in keys if key in templates.sentences), None)
    if key is None:
        raise DataError(
            f"{path}: label {scene.label!r} of {scene.file} has no sentence among {sorted(templates.sentences)}"
        )
    return tuple(words_of(filled) for pattern in templates.sentences[key] for filled in _fill(pattern, templates.words))


def _fill(pattern: str, words: dict[str, Any]) -> list[str]:
    match = PLACEHOLDER.search(pattern)
    if match is None:
        return [pattern]
    return [
        filled
        for word in words[match[1]]
        for filled in _fill(pattern[: match.start()] + word + pattern[match.end() :], words)
    ]
