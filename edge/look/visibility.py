"""Whether a picture shows anything at all: of one taken in the dark, or through a covered lens, no evidence counts."""

from typing import Final

import numpy as np

from edge.infer.image import Picture

DARK: Final = 25
"""Brightness, of 255, that something in a picture has to exceed: a twentieth of daylight leaves white walls at 13, and
what a model takes for a weapon there is the sensor's noise. A flame or a lamp in the dark is brighter by far."""

BRIGHTEST_SHARE: Final = 0.01
"""Share of the picture that must be so bright: single hot pixels show nothing."""

FLAT: Final = 12
"""Grey levels between nearly the darkest and nearly the brightest spot of a picture without content; the least of 60
surveillance films is 126."""

GREY: Final = 24
"""Difference between a spot's colours up to which it is grey."""

BLINDING: Final = 250
BLINDED_SHARE: Final = 0.6
"""Brightness in all colours at which a sensor is saturated, and the share of the picture from which nothing else is
seen."""

STEP: Final = 4
"""Every fourth pixel of every fourth row is looked at."""


def is_dark(rgb: Picture) -> bool:
    """Say whether hardly a spot of a picture, uint8 [H, W, 3], is bright enough to be seen."""
    spots = rgb[::STEP, ::STEP].max(axis=2)
    return float(np.mean(spots > DARK)) < BRIGHTEST_SHARE


def is_blank(picture: Picture) -> bool:
    """Say whether a picture, uint8 [H, W, 3] in either order of colours, is grey all over or blinded by light."""
    spots = picture[::STEP, ::STEP].reshape(-1, 3)
    darkest, brightest = spots.min(axis=1), spots.max(axis=1)
    if float(np.mean(darkest >= BLINDING)) >= BLINDED_SHARE:
        return True
    low, high = np.percentile(brightest, [0.5, 99.5])
    return float(high - low) < FLAT and float(np.percentile(brightest - darkest, 99.5)) < GREY
