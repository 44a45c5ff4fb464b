"""A recipe with its data in a few files: plain coloured images, each with sentences that name its colour."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from trainer.recipe import recipe as recipes
from trainer.recipe.recipe import Recipe

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200), "white": (230, 230, 230)}
FLAMES = (250, 150, 0)
"""No wall has it."""
SIDE = 32


def image(path: Path, colour: str) -> Path:
    """Write an image whose left half is black."""
    pixels = np.full((SIDE, SIDE, 3), COLOURS.get(colour, FLAMES)[::-1], np.uint8)
    pixels[:, : SIDE // 2] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def captions(folder: Path, split: str, count: int) -> Path:
    """Write images and a caption file with two sentences of different length for each."""
    colours = [list(COLOURS)[number % len(COLOURS)] for number in range(count)]
    names = [image(folder / "images" / f"{split}-{n}.png", colour).name for n, colour in enumerate(colours)]
    document = {
        "images": [{"id": n, "file_name": name, "width": SIDE, "height": SIDE} for n, name in enumerate(names)],
        "annotations": [
            {"image_id": number, "caption": sentence}
            for number, colour in enumerate(colours)
            for sentence in (f"a {colour} wall", f"the wall on the right is {colour}")
        ],
    }
    return dumped(folder / f"captions_{split}.json", document)


def boxes(folder: Path, split: str) -> Path:
    """Write boxes around the coloured half of the images that `captions` wrote."""
    images = json.loads((folder / f"captions_{split}.json").read_text())["images"]
    document = {
        "images": images,
        "annotations": [
            {"image_id": image["id"], "category_id": 1, "bbox": [SIDE / 2, 0, SIDE / 2, SIDE]} for image in images
        ],
        "categories": [{"id": 1, "name": "wall"}],
    }
    return dumped(folder / f"boxes_{split}.json", document)


def scenes(folder: Path, split: str, count: int) -> Path:
    """Write hazard scenes: orange images that are labelled a fire, and white ones without danger."""
    found = []
    for number in range(count):
        colour, label = ("flames", "fire") if number % 2 == 0 else ("white", "none")
        path = image(folder / "images" / f"{split}-scene-{number}.png", colour)
        box = {"name": "fire", "bbox": [SIDE / 2, 0, SIDE / 2, SIDE]}
        found.append(
            {
                "file": f"images/{path.name}",
                "width": SIDE,
                "height": SIDE,
                "label": label,
                "source": "fire",
                "boxes": [box] if label == "fire" else [],
            }
        )
    (folder / "sentences.yaml").write_text(
        yaml.safe_dump(
            {
                "sentences": {"fire": ["a fire burns"], "none": ["an empty place"]},
                "words": {},
                "terms": {"fire": ["fire"]},
            }
        )
    )
    return dumped(folder / f"scenes_{split}.json", found)


def dumped(path: Path, document: Any) -> Path:
    """Write JSON."""
    path.write_text(json.dumps(document))
    return path


def recipe(folder: Path, *, train: int = 8, val: int = 4, hazards: int = 0, **sections: Any) -> Recipe:
    """Write the data and a recipe of them, and load it."""
    named = {"name": "walls", "images": "images", "train": "captions_train.json", "val": "captions_val.json"}
    data: dict[str, Any] = {"captions": [named], "licences": [{"what": "walls", "terms": "none"}]}
    for split, count in (("train", train), ("val", val)):
        captions(folder, split, count)
        boxes(folder, split)
        if hazards:
            scenes(folder, split, hazards)
    if hazards:
        scened = {"train": "scenes_train.json", "val": "scenes_val.json", "sentences": "sentences.yaml"}
        data["hazards"] = [{"name": "scenes", **scened}]
    if "detector" in sections:
        data["boxes"] = [{**named, "train": "boxes_train.json", "val": "boxes_val.json"}]
    document = {
        "name": "small",
        "version": "0.0.1",
        "data": data,
        "vocabulary": {"min_count": 1},
        "encoder": {"height": 32, "width": 32, "weights": "", "batch_size": 4},
        "decoder": {"embedding": 8, "state": 12, "attention": 8, "context": 8, "dropout": 0.0, "max_tokens": 8},
        **sections,
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(document))
    return recipes.load(path)
