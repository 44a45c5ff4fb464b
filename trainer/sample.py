"""Renders a small captioned and boxed picture set, so that a recipe can be tried before there is any data."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

SIDE: Final = 128
"""Pixels of a rendered picture's side."""

COLOURS: Final = {"red": (210, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 210), "white": (240, 240, 240)}
SHAPES: Final = ("circle", "square")
SPLITS: Final = {"train": 96, "val": 24}
"""Pictures of each split."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One picture: pixels uint8 [SIDE, SIDE, 3], what is on it, and the box x, y, width, height around it in pixels."""

    pixels: npt.NDArray[np.uint8]
    colour: str
    ground: str
    shape: str
    box: tuple[float, float, float, float]


def write(folder: Path, *, seed: int = 1) -> None:
    """Write `images/`, `captions_<split>.json` and `instances_<split>.json` in COCO's format, the same for a seed."""
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for split, count in SPLITS.items():
        pictures = list(_render(random, count))
        images = [
            {"id": number, "file_name": f"{split}-{number:03}.jpg", "width": SIDE, "height": SIDE}
            for number in range(count)
        ]
        for image, picture in zip(images, pictures, strict=True):
            jpeg = tf.io.encode_jpeg(picture.pixels, quality=95).numpy()
            (folder / "images" / str(image["file_name"])).write_bytes(jpeg)
        captions = {"images": images, "annotations": [note for n, p in enumerate(pictures) for note in _captions(n, p)]}
        (folder / f"captions_{split}.json").write_text(json.dumps(captions))
        instances = {
            "images": images,
            "annotations": [_instance(number, picture) for number, picture in enumerate(pictures)],
            "categories": [{"id": number, "name": shape} for number, shape in enumerate(SHAPES, 1)],
        }
        (folder / f"instances_{split}.json").write_text(json.dumps(instances))


def _render(random: np.random.Generator, count: int) -> Iterator[Rendered]:
    y, x = np.mgrid[:SIDE, :SIDE]
    for _ in range(count):
        colour, ground = random.permutation(list(COLOURS))[:2]
        shape = str(random.choice(SHAPES))
        radius = int(random.integers(18, 40))
        across, down = random.integers(radius, SIDE - radius, 2)
        far = np.maximum(abs(x - across), abs(y - down)) if shape == "square" else np.hypot(x - across, y - down)
        flat = np.where((far <= radius)[..., None], COLOURS[str(colour)], COLOURS[str(ground)])
        noisy = np.clip(flat + random.normal(0, 12, flat.shape), 0, 255).astype(np.uint8)
        box = (float(across - radius), float(down - radius), 2.0 * radius, 2.0 * radius)
        yield Rendered(noisy, str(colour), str(ground), shape, box)


def _captions(number: int, picture: Rendered) -> list[dict[str, Any]]:
    sentences = (
        f"A {picture.colour} {picture.shape} on a {picture.ground} ground .",
        f"There is a {picture.colour} {picture.shape} .",
    )
    return [{"image_id": number, "caption": sentence} for sentence in sentences]


def _instance(number: int, picture: Rendered) -> dict[str, Any]:
    category = SHAPES.index(picture.shape) + 1
    return {"id": number + 1, "image_id": number, "category_id": category, "bbox": picture.box, "iscrowd": 0}
