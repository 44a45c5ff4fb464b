"""Whether a picture shows anything at all: of one taken in the dark, or through a covered lens, no evidence counts."""

from typing import Final

import numpy as np

from edge.infer.image import Picture

DARK: Final = 25
"""Brightness, of 255, that something in a picture has to exceed: a twentieth of daylight leaves white walls at 13, and
what a model takes for a weapon there is the sensor's noise. A flame or a lamp in the dark is brighter by far."""

BRIGHTEST_SHARE: Final = 0.01
"""Share of the picture that must be so bright: single hot pixels show nothing."""

STEP: Final = 4
"""Every fourth pixel of every fourth row is looked at."""


def is_dark(rgb: Picture) -> bool:
    """Say whether hardly a spot of a picture, uint8 [H, W, 3], is bright enough to be seen."""
    spots = rgb[::STEP, ::STEP].max(axis=2)
    return float(np.mean(spots > DARK)) < BRIGHTEST_SHARE
