"""Optical flow between two frames, and the few numbers that tell a struggle from people who walk.

Pictures are brightness, uint8 [h, 160]; flow is float32 [h, 160, 2], pixels from one look to the next. The flow of the
whole picture is taken off, so that a mast in the wind moves nobody.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.infer import image
from edge.infer.image import Picture

Grey = NDArray[np.uint8]
Flow = NDArray[np.float32]

WIDTH: Final = 160
LEAST_HEIGHT: Final = 48
STEP: Final = 8
"""Height is a multiple of it."""

SECONDS: Final = 0.2
"""Time between two looks by which speeds are counted."""

FASTEST: Final = 0.9
"""Share of the picture that is slower than what is looked at: people are a small part of it."""

DIRECTIONS: Final = 8

FEATURES: Final = ("directions", "together", "turning", "spreading", "jerk", "uneven", "fast", "faster")
"""Entropy of directions, 0 to 1 for how much all goes one way, mean curl and divergence, change of the flow since the
pair before, the fastest by the mean, the 90th and 99th percentile of speed: of the fastest tenth but the last two."""


def grey(bgr: Picture, height: int, width: int) -> Grey:
    """Return the brightness of a BGR picture of any size that shows a frame of so many pixels."""
    rows = max(LEAST_HEIGHT, round(WIDTH * height / width / STEP) * STEP)
    return image.thumbnail(bgr, rows, WIDTH)


def measure(flow: Flow, before: Flow | None, seconds: float) -> NDArray[np.float32]:
    """Return the `FEATURES` of a flow, with that of the pair before where there is one; float32 [8]."""
    moved = flow - np.median(flow.reshape(-1, 2), 0)
    speed = np.hypot(moved[..., 0], moved[..., 1])
    fast, faster = np.quantile(speed, [FASTEST, 0.99])
    rows = speed >= fast
    mean = max(float(speed[rows].mean()), 1e-6)
    down, across = np.gradient(moved[..., 0]), np.gradient(moved[..., 1])
    jerk = 0.0 if before is None else float(np.linalg.norm((flow - before)[rows], axis=1).mean())
    scale = SECONDS / seconds
    return np.array(
        [
            _entropy(moved[rows], speed[rows]),
            float(np.linalg.norm(moved[rows].mean(0))) / mean,
            float(np.abs(across[1] - down[0])[rows].mean()) * scale,
            float(np.abs(down[1] + across[0])[rows].mean()) * scale,
            jerk * scale,
            float(np.quantile(speed[rows], 0.9)) / mean,
            float(fast) * scale,
            float(faster) * scale,
        ],
        np.float32,
    )


def _entropy(moved: Flow, speed: NDArray[np.floating]) -> float:
    """Return the entropy of the directions of vectors [M, 2], weighed by their length [M]."""
    angles = np.arctan2(moved[:, 1], moved[:, 0])
    counts = np.histogram(angles, DIRECTIONS, (-np.pi, np.pi), weights=speed)[0]
    shares = counts / max(float(counts.sum()), 1e-6)
    return float(-(shares * np.log(shares + 1e-9)).sum())
