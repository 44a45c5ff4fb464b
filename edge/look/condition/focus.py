"""Measures how sharp a scene is from two pictures of it, whatever noise the sensor adds to each.

Noise of two pictures has nothing in common, so that the product of both pictures' differences between neighbours has
the scene's alone. A ramp, which is all that a lens far out of focus leaves, has an eighth of the difference between
spots `COARSE` pixels apart; an edge has the root of an eighth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
"""Brightness, [h, w], 0 to 255."""

COARSE: Final = 8
"""Pixels between two spots whose difference blur leaves as it is."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What two pictures have in common."""

    contrast: float
    """Root mean square difference of brightness between spots `COARSE` pixels apart, 0 to 255."""
    sharpness: float
    """Difference between neighbours as a share of it, 0 to 1; less than an eighth where the pictures do not match."""


def measure(before: Grey, after: Grey) -> Focus:
    """Compare two pictures of one camera, one after the other."""
    fine, coarse = _common(before, after, 1), _common(before, after, COARSE)
    return Focus(coarse**0.5, (fine / coarse) ** 0.5 if coarse else 0.0)


def _common(before: Grey, after: Grey, pixels: int) -> float:
    """Return the mean product of both pictures' differences between spots so many pixels apart, at least 0."""
    across = np.mean((before[:, pixels:] - before[:, :-pixels]) * (after[:, pixels:] - after[:, :-pixels]))
    down = np.mean((before[pixels:] - before[:-pixels]) * (after[pixels:] - after[:-pixels]))
    return max(0.0, float(across + down) / 2)
