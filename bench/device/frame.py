"""One captioned frame of ours in this process: resize, encode, detect, decode, on one thread."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.infer import image
from edge.infer.captioner import Captioner, Features

Picture = NDArray[np.uint8]

SCENES: Final = 6
"""Different pictures drawn where none are given."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a frame takes, in seconds."""

    wall: float
    """Median from the frame in memory to its sentence."""
    invoke: float
    """Median of the time inside the interpreters."""
    words: float
    """Mean number of words said."""

    @property
    def overhead(self) -> float:
        """Wall time as a multiple of the interpreters' own: 1.1 is a tenth on top."""
        return self.wall / self.invoke


class Frame:
    """A bundle that captions frames and keeps the time of each."""

    def __init__(self, bundle: Path, threads: int = 1) -> None:
        """Open a bundle; raises what `Captioner.open` raises."""
        image.use_threads(threads)
        self._captioner = Captioner.open(bundle, threads=threads)
        self._taken: list[tuple[float, float, int]] = []

    def caption(self, rgb: Picture) -> int:
        """Caption a frame; give the number of its words."""
        inside, begin = self._captioner.invoke_seconds, time.perf_counter()
        features = self._captioner.encode(rgb)
        self._captioner.detect(features)
        sentence = self._captioner.caption(features)
        self._taken.append((time.perf_counter() - begin, self._captioner.invoke_seconds - inside, len(sentence.words)))
        return len(sentence.words)

    def caption_closely(self, rgb: Picture) -> None:
        """Caption a frame, and weigh the dangers of two parts of it first, as the device's closer look does."""
        for left in (0.0, 0.5):
            self._captioner.weigh(self._captioner.encode(image.cut(rgb, left, 0.5, 0.5)))
        self.caption(rgb)

    def encode(self, rgb: Picture) -> Features:
        """Look at a frame."""
        return self._captioner.encode(rgb)

    def detect(self, features: Features) -> int:
        """Find what is in a frame that was looked at, without a word; give the number of boxes."""
        return len(self._captioner.detect(features))

    @property
    def detects(self) -> bool:
        """Whether the bundle has a detector."""
        return self._captioner.manifest.detection is not None

    def pace(self) -> Pace:
        """Return the medians of all frames so far, the first apart, which warms the caches."""
        walls, invokes, words = zip(*self._taken[1:], strict=True)
        return Pace(median(walls), median(invokes), float(np.mean(words)))


def alternate(
    turns: Sequence[Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Take turns, so that a busy spell of the machine hits all alike; give the median seconds of each.

    A first turn of each warms up and is not counted. What runs on one thread is best timed by `time.thread_time`,
    which stands still while others have the processor.
    """
    taken: list[list[float]] = [[] for _ in turns]
    for number in range(rounds + 1):
        for turn, times in zip(turns, taken, strict=True):
            begin = clock()
            turn()
            if number:
                times.append(clock() - begin)
    return [median(times) for times in taken]


def scenes(folder: Path | None) -> list[Picture]:
    """Return pictures of a folder, or drawn ones; raises `FileNotFoundError` for a folder without pictures."""
    if folder is None:
        return [_draw(number) for number in range(SCENES)]
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not files:
        raise FileNotFoundError(f"{folder}: no pictures")
    step = max(1, len(files) // SCENES)
    return [image.read(path) for path in files[::step][:SCENES]]


def _draw(seed: int, height: int = 480, width: int = 640) -> Picture:
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
    for _ in range(40):
        (x1, x2), (y1, y2) = random.integers(0, width, 2).tolist(), random.integers(0, height, 2).tolist()
        cv2.rectangle(picture, (x1, y1), (x2, y2), random.integers(0, 256, 3).tolist(), cv2.FILLED)
    return picture
