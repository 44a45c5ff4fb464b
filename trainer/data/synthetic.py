"""Renders a small dataset with captions and boxes, to try a recipe without data."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from contract import korean

SIDE: Final = 128
"""Pixels of a rendered image's side."""

COLOURS: Final = {"red": (210, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 210), "white": (240, 240, 240)}
SHAPES: Final = ("circle", "square")
KOREAN: Final = {
    "red": "빨간",
    "green": "초록색",
    "blue": "파란",
    "white": "하얀",
    "circle": "원",
    "square": "네모",
}
"""The same in Korean; one shape ends in a consonant and one in a vowel, as the shape of particles depends on it."""

SPLITS: Final = {"train": 96, "val": 24}
"""Images of each split."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One image: pixels uint8 [SIDE, SIDE, 3], what is on it, and the box x, y, width, height around it in pixels."""

    pixels: npt.NDArray[np.uint8]
    colour: str
    ground: str
    shape: str
    box: tuple[float, float, float, float]


def write(folder: Path, *, seed: int = 1, language: str = "en") -> None:
    """Write `images/`, `captions_<split>.json` and `instances_<split>.json` in COCO's format, the same for a seed."""
    sentences = _korean if language == "ko" else _english
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for split, count in SPLITS.items():
        rendered = list(_render(random, count))
        images = [
            {"id": number, "file_name": f"{split}-{number:03}.jpg", "width": SIDE, "height": SIDE}
            for number in range(count)
        ]
        for image, shape_image in zip(images, rendered, strict=True):
            jpeg = tf.io.encode_jpeg(shape_image.pixels, quality=95).numpy()
            (folder / "images" / str(image["file_name"])).write_bytes(jpeg)
        notes = [
            {"image_id": n, "caption": text}
            for n, shape_image in enumerate(rendered)
            for text in sentences(shape_image)
        ]
        captions = json.dumps({"images": images, "annotations": notes}, ensure_ascii=False)
        (folder / f"captions_{split}.json").write_text(captions, encoding="utf-8")
        instances = {
            "images": images,
            "annotations": [_instance(number, shape_image) for number, shape_image in enumerate(rendered)],
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


def _english(shape_image: Rendered) -> tuple[str, ...]:
    return (
        f"A {shape_image.colour} {shape_image.shape} on a {shape_image.ground} ground .",
        f"There is a {shape_image.colour} {shape_image.shape} .",
    )


def _korean(shape_image: Rendered) -> tuple[str, ...]:
    colour, ground, shape = KOREAN[shape_image.colour], KOREAN[shape_image.ground], KOREAN[shape_image.shape]
    subject, object_ = korean.join([shape, "+이/가"]), korean.join([shape, "+을/를"])
    return f"{ground} 바탕에 {colour} {subject} 있다.", f"{colour} {object_} 그린 그림이다."


def _instance(number: int, shape_image: Rendered) -> dict[str, Any]:
    category = SHAPES.index(shape_image.shape) + 1
    return {"id": number + 1, "image_id": number, "category_id": category, "bbox": shape_image.box, "iscrowd": 0}
