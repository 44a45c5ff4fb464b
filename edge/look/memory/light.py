"""Light: whether a camera sees by day, or by night and infrared light, which its calm is learnt apart for.

The limits were set on 1,200 photographs, some of them grey, and on the same made grey, tinted and noisy as an infrared
lamp shows a scene to a camera without a filter: nine of ten of the first scatter by more than 0.019, and nineteen of
twenty of the others by less than 0.0112.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from edge.infer import image
from edge.infer.image import Picture

GREY: Final = 0.010
"""Scatter of colour below which a picture is one of infrared light."""

COLOURED: Final = 0.016
"""Scatter of colour above which it may be one of the day again."""

DARK: Final = 30.0
"""Mean brightness, 0 to 255, below which it is night in colour, too."""

LIT: Final = 45.0
"""Mean brightness above which it may be day again."""

HOLD_SECONDS: Final = 60.0
"""Time for which pictures must say the other: headlights and clouds pass."""

LOOK_SECONDS: Final = 1.0
"""Time between two looks at the light."""

_SIDE: Final = 24
_LEAST_SUM: Final = 60.0
"""Sum of a spot's three colours below which rounding makes its colour."""

_LEAST_SPOTS: Final = 24


class Light(StrEnum):
    """What a camera sees by."""

    DAY = "day"
    """Colours."""
    NIGHT = "night"
    """Infrared light without colours, or hardly any light."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The light of one picture."""

    brightness: float
    """Mean, 0 to 255."""
    scatter: float
    """Deviation of its spots' shares of red, green and blue, 0 to 1: 0 without colour, and with one tint all over."""


def measure(picture: Picture) -> Measured:
    """Measure a picture, uint8 [H, W, 3] in either order of colours; takes a fraction of a millisecond at 240 x 240."""
    spots = image.fit(picture, _SIDE, _SIDE).reshape(-1, 3).astype(np.float64)
    total = spots.sum(axis=1)
    lit = total >= _LEAST_SUM
    brightness = float(total.mean()) / 3
    if int(lit.sum()) < _LEAST_SPOTS:
        return Measured(brightness, 0.0)
    shares, weights = spots[lit] / total[lit, None], total[lit] / total[lit].sum()
    away = ((shares - weights @ shares) ** 2).sum(axis=1)
    return Measured(brightness, float(np.sqrt(weights @ away)))


def judge(found: Measured, before: Light) -> Light:
    """Say what one picture shows; between the limits it is as before."""
    if found.scatter < GREY or found.brightness < DARK:
        return Light.NIGHT
    if found.scatter > COLOURED and found.brightness > LIT:
        return Light.DAY
    return before


class LightSwitch:
    """The light of one camera, from picture to picture. Times are seconds on the camera's clock."""

    def __init__(self) -> None:
        self.light = Light.DAY
        self._looked_at: float | None = None
        self._other_since: float | None = None

    def is_due(self, at: float) -> bool:
        """Say whether it is time to look, also where the clock was set back."""
        return self._looked_at is None or not 0 <= at - self._looked_at < LOOK_SECONDS

    def look(self, picture: Picture, at: float, *, may_change: bool = True) -> float | None:
        """Look at a picture; where the light has changed, return since when. The first picture decides at once."""
        is_first, self._looked_at = self._looked_at is None, at
        found = judge(measure(picture), self.light)
        if found is self.light:
            self._other_since = None
            return None
        if self._other_since is None or at < self._other_since:
            self._other_since = at
        if not may_change or (not is_first and at - self._other_since < HOLD_SECONDS):
            return None
        since, self.light, self._other_since = self._other_since, found, None
        return since
