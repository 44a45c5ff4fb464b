"""The pictures that a classifier of dangers is made from, as their files list them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trainer.errors import DataError
from trainer.hazards.recipe import Everyday, HazardRecipe, Scenes

CALM: Final = "none"
"""Label of scenes without a danger."""

EVERYDAY: Final = ""
"""Label of pictures of everyday life."""

Sides = tuple[float, float, float, float]
"""Left, top, width, height as shares of the picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, or one clip."""

    key: str
    """`SET/SPLIT/NUMBER`."""
    path: Path
    split: str
    """`train` or `val`."""
    source: str
    label: str
    """A danger, `CALM` or `EVERYDAY`."""
    clip: str = ""
    """What its source calls the clip or the scene; empty where it does not say."""
    boxes: tuple[tuple[str, Sides], ...] = ()
    captions: str = ""
    """All that people wrote of it."""


def scenes(listed: Scenes) -> Iterator[Picture]:
    """Read labelled scenes of both splits; raises `DataError`."""
    for split, path in (("train", listed.train), ("val", listed.val)):
        for number, one in enumerate(_read(path)):
            width, height = max(1, one.get("width", 1)), max(1, one.get("height", 1))
            boxes = tuple(
                (box["name"], (x / width, y / height, w / width, h / height))
                for box in one.get("boxes", ())
                for x, y, w, h in (box["bbox"],)
            )
            key = f"{listed.name}/{split}/{number}"
            source, clip = one.get("source", listed.name), one.get("clip") or ""
            yield Picture(key, path.parent / one["file"], split, source, one["label"], clip, boxes)


def everyday(listed: Everyday) -> Iterator[Picture]:
    """Read a caption file or a file of instances, of the splits that there are; raises `DataError`."""
    for split, path in (("train", listed.train), ("val", listed.val)):
        if path is None:
            continue
        document = _read(path)
        said: dict[int, list[str]] = {}
        drawn: dict[int, list[Any]] = {}
        for note in document.get("annotations", ()):
            if "caption" in note:
                said.setdefault(note["image_id"], []).append(note["caption"].lower())
            if "bbox" in note:
                drawn.setdefault(note["image_id"], []).append(note["bbox"])
        for number, image in enumerate(document["images"]):
            width, height = image.get("width", 1), image.get("height", 1)
            boxes = tuple(
                ("person", (x / width, y / height, w / width, h / height)) for x, y, w, h in drawn.get(image["id"], ())
            )
            file, key = listed.images / image["file_name"], f"{listed.name}/{split}/{number}"
            captions = " ".join(said.get(image["id"], ()))
            yield Picture(key, file, split, listed.name, EVERYDAY, boxes=boxes, captions=captions)


def clips(folder: Path) -> Iterator[Picture]:
    """List clips by their names: `SPLIT_KIND_NAME.mp4`."""
    for number, path in enumerate(sorted(folder.glob("*.mp4"))):
        split, kind, _ = path.stem.split("_", 2)
        label = {"fight": "fight", "noFight": CALM, "ADL": CALM}.get(kind)
        if label is not None:
            source = "clips_fight" if "ight" in kind else "clips_fall"
            yield Picture(f"clips/{split}/{number}", path, split, source, label, clip=path.stem.partition("_")[2])


def gather(recipe: HazardRecipe) -> list[Picture]:
    """List all pictures of a recipe, but for those that are labelled wrongly; raises `DataError`."""
    found = [picture for listed in recipe.scenes for picture in scenes(listed)]
    found += [picture for listed in (*recipe.everyday, *recipe.people) for picture in everyday(listed)]
    found += clips(recipe.clips) if recipe.clips is not None else []
    wrong = set(recipe.mislabelled)
    missing = [picture.path for picture in found if not picture.path.is_file()]
    if missing:
        raise DataError(f"{len(missing)} of {len(found)} pictures are missing, {missing[0]} first")
    return [picture for picture in found if picture.path.name not in wrong]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
