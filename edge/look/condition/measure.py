"""Measures one picture by what tells a camera that sees from one that does not.

The top and the bottom eighth are left out of what tells light, blur and cover: there cameras write the time, which
stays bright and crisp whatever the lens shows.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.infer import image
from edge.infer.image import Picture
from edge.look import visibility
from edge.look.condition import damage
from edge.look.condition.damage import Damage
from edge.look.condition.focus import Grey
from edge.look.condition.stillness import Spots

View = NDArray[np.float32]
"""Direction of the edges, [2, h, w]: the same for a dark edge on bright ground as for a bright one on dark, so that day
and night give the same view."""

EDGE: Final = 8
"""A part of so many at the top and at the bottom has the time in it."""

HEIGHT: Final = 168
WIDTH: Final = 224
"""Pixels that the rest is shrunk to; sharpness depends on them."""

VIEW_HEIGHT: Final = 36
VIEW_WIDTH: Final = 64

WEAK_EDGE: Final = 2.0
"""Grey levels a pixel below which an edge counts little."""

STEP: Final = 4
"""Every fourth pixel of every fourth row tells whether a picture stands still."""

APART: Final = 2
"""Spots of the view between which its structure is measured."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What one picture measures."""

    is_dark: bool
    """Whether hardly a spot is bright enough to be seen."""
    is_blank: bool
    """Whether it is grey, or white from glare, all over."""
    damage: Damage
    """What it shows of missing data."""
    grey: Grey
    """Its brightness, [HEIGHT, WIDTH], which sharpness is measured on."""
    structure: float
    """Grey levels by which spots of the view differ from the mean of those around; near the lens, few."""
    spots: Spots
    """What tells whether it stands still."""
    view: View
    """Where its edges are."""


def measure(bgr: Picture, *, is_guessed: bool = False) -> Measures:
    """Measure a camera's picture, uint8 [H, W, 3], of which the decoder may have guessed some.

    Takes about five milliseconds at 1280 x 720.
    """
    margin = bgr.shape[0] // EDGE
    inner = image.fit(bgr[margin : bgr.shape[0] - margin], HEIGHT, WIDTH)
    thumbnail = image.thumbnail(bgr, VIEW_HEIGHT, VIEW_WIDTH)
    return Measures(
        is_dark=visibility.is_dark(inner),
        is_blank=visibility.is_blank(inner),
        damage=damage.measure(bgr, is_guessed=is_guessed),
        grey=image.thumbnail(inner, HEIGHT, WIDTH).astype(np.float32),
        structure=_structure(thumbnail[VIEW_HEIGHT // EDGE : VIEW_HEIGHT - VIEW_HEIGHT // EDGE]),
        spots=np.ascontiguousarray(bgr[::STEP, ::STEP, 1]),
        view=_view(thumbnail),
    )


def likeness(one: View, other: View) -> float:
    """Return how alike two views are: 1 for the same, about 0 for two cameras; 0 where one of them has no edges."""
    length = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / length if length else 0.0


def _structure(thumbnail: NDArray[np.uint8]) -> float:
    """Return the mean bend of brightness over `APART` spots, smoothed: ramps have none, and noise hardly any."""
    smooth = _smooth(thumbnail.astype(np.float32))
    across = smooth[:, APART:-APART] - (smooth[:, : -2 * APART] + smooth[:, 2 * APART :]) / 2
    down = smooth[APART:-APART] - (smooth[: -2 * APART] + smooth[2 * APART :]) / 2
    return float(np.abs(across).mean() + np.abs(down).mean()) / 2


def _view(thumbnail: NDArray[np.uint8]) -> View:
    """Return the edges' directions by doubled angle, each at most 1 long, less their mean: walls stand everywhere."""
    smooth = _smooth(_smooth(thumbnail.astype(np.float32)))
    across = (smooth[1:-1, 2:] - smooth[1:-1, :-2]) / 2
    down = (smooth[2:, 1:-1] - smooth[:-2, 1:-1]) / 2
    weight = across**2 + down**2 + WEAK_EDGE**2
    view = np.stack([(across**2 - down**2) / weight, 2 * across * down / weight])
    return np.asarray(view - view.mean(axis=(1, 2), keepdims=True), np.float32)


def _smooth(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average each spot with its neighbours by 1, 2 and 1; the outermost spots are left out."""
    across = (grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]) / 4
    return np.asarray((across[:-2] + 2 * across[1:-1] + across[2:]) / 4, np.float32)
