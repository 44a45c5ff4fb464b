"""Clips that films are rendered from: real ones where this machine has them, and drawn yards in any clone.

Constants of `edge.look.condition` are chosen on clips whose name begins with `train`; figures are of all the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge.infer.image import Picture

SHARED: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDERS: Final = (SHARED / "clips", SHARED / "motion_clips", Path("/usr/share/doc/opencv-doc/examples/data"))
"""Where real clips are, the last of them Debian's `opencv-doc`."""

NAMES: Final = ("*.mp4", "vtest.avi")

TWICE: Final = frozenset({"fight_079", "fall_3_01"})
"""Clips that also stand among those that constants are chosen on, at another size."""

LONGEST: Final = 48
"""Pictures of a clip that a film is made of, evenly over its length."""

TALLEST: Final = 240
"""Rows that a clip is shrunk to."""

YARDS: Final = 4
YARD_SIZE: Final = (240, 426)


class Part(Enum):
    """Which clips films are made of."""

    CHOOSING = "choosing"
    QUOTED = "quoted"
    DRAWN = "drawn"


@dataclass(frozen=True, slots=True)
class Clip:
    """Pictures of one fixed camera, uint8 [H, W, 3] each."""

    name: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a clip comes from: a file, or the seed of a drawn yard."""

    name: str
    path: Path | None
    seed: int = 0

    def open(self) -> Clip:
        """Read or draw it; raises `ValueError` where the file holds no film."""
        return Clip(self.name, tuple(_drawn(self.seed)) if self.path is None else _read(self.path))


def sources(part: Part, folders: Sequence[Path] = FOLDERS) -> list[Source]:
    """Return what films of this part are made of; drawn yards where no folder has a real clip of it."""
    yards = [Source(f"yard {seed}", None, seed) for seed in range(1, YARDS + 1)]
    if part is Part.DRAWN:
        return yards
    paths = sorted({path for folder in folders for pattern in NAMES for path in folder.glob(pattern)})
    found = [Source(path.stem, path) for path in paths if path.stem not in TWICE]
    is_wanted = part is Part.CHOOSING
    return [source for source in found if source.name.startswith("train") is is_wanted] or yards


def _read(path: Path) -> tuple[Picture, ...]:
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while True:
        is_read, bgr = capture.read()
        if not is_read:
            break
        share = min(1.0, TALLEST / bgr.shape[0])
        size = round(bgr.shape[1] * share) // 2 * 2, round(bgr.shape[0] * share) // 2 * 2
        pictures.append(np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8))
    capture.release()
    if not pictures:
        raise ValueError(f"{path}: no film that OpenCV can read")
    return tuple(pictures[:: max(1, len(pictures) // LONGEST)])


def _drawn(seed: int) -> Iterator[Picture]:
    """Draw a yard with walls, windows, lines on the ground and someone who walks through."""
    dice, (height, width) = np.random.default_rng(seed), YARD_SIZE
    ground = np.full((height, width, 3), (210, 190, 170), np.float32)
    ground[height // 2 :] = (95, 100, 105)
    for _ in range(16):
        left, top = int(dice.integers(0, width - 80)), int(dice.integers(30, height - 120))
        right, bottom = left + int(dice.integers(40, 160)), top + int(dice.integers(40, 140))
        cv2.rectangle(ground, (left, top), (right, bottom), dice.integers(30, 230, 3).tolist(), -1)
        cv2.rectangle(ground, (left + 10, top + 10), (left + 24, top + 28), dice.integers(10, 250, 3).tolist(), -1)
    for _ in range(8):
        ends = dice.integers(0, (width, height), (2, 2)).tolist()
        cv2.line(ground, ends[0], ends[1], (225, 225, 225), 3)
    ground += dice.normal(0, 9, (height, width, 1)).astype(np.float32)
    for step in range(0, width, width // 16):
        walk = ground.copy()
        walk[height // 2 - 40 : height // 2 + 80, step : step + 36] = (40, 50, 120)
        yield np.asarray(np.clip(walk, 0, 255), np.uint8)
