"""Augmentation: random crops, mirroring and changes of colour."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

Box = tuple[str, float, float, float, float]
"""Class, left, top, width and height as shares of the image."""

LEAST_VISIBLE: Final = 0.4
"""Share of a box that must lie inside a crop for the box to be kept."""


@dataclass(frozen=True, slots=True)
class AugmentedImage:
    """An image file with a crop, whose sides are shares of the image, 0 to 1, mirrored or tinted."""

    path: Path
    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0
    mirrored: bool = False
    """Whether the crop is flipped horizontally."""
    tint: int = 0
    """Seed of a change of brightness, contrast and colour; 0 for none."""

    def boxes(self, boxes: tuple[Box, ...]) -> tuple[Box, ...]:
        """Return the image's boxes in the crop's coordinates, 0 to 1; boxes mostly outside are left out."""
        seen = (self._box(box) for box in boxes)
        return tuple(box for box in seen if box is not None)

    def _box(self, box: Box) -> Box | None:
        name, left, top, width, height = box
        x0, x1 = ((side - self.left) / self.width for side in (left, left + width))
        y0, y1 = ((side - self.top) / self.height for side in (top, top + height))
        inside = (max(0.0, x0), max(0.0, y0), min(1.0, x1), min(1.0, y1))
        across, down = inside[2] - inside[0], inside[3] - inside[1]
        if across <= 0 or down <= 0 or across * down < LEAST_VISIBLE * (x1 - x0) * (y1 - y0):
            return None
        return (name, 1 - inside[2] if self.mirrored else inside[0], inside[1], across, down)


def random_crop(path: Path, random: np.random.Generator, *, min_area: float) -> AugmentedImage:
    """Return a random crop of at least this share of the area, tinted, and mirrored at random."""
    area, ratio = random.uniform(min_area, 1.0), np.exp(random.uniform(-0.15, 0.15))
    width, height = min(1.0, float(np.sqrt(area * ratio))), min(1.0, float(np.sqrt(area / ratio)))
    left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
    return AugmentedImage(path, left, top, width, height, bool(random.integers(2)), int(random.integers(1, 2**31 - 1)))


def crop_around(path: Path, box: Box, random: np.random.Generator, *, proportions: float) -> AugmentedImage:
    """Return a random square crop around a box, as the device crops people: 2 to 5 times the box's longer side.

    `proportions` is the image's width divided by its height.
    """
    _, left, top, width, height = box
    side = max(width * proportions, height) * random.uniform(2.0, 5.0)
    across, down = min(1.0, max(0.15, side / proportions)), min(1.0, max(0.15, side))
    x = left + width / 2 - across * random.uniform(0.35, 0.65)
    y = top + height / 2 - down * random.uniform(0.3, 0.7)
    x, y = min(max(0.0, x), 1 - across), min(max(0.0, y), 1 - down)
    return AugmentedImage(path, x, y, across, down, bool(random.integers(2)), int(random.integers(1, 2**31 - 1)))
