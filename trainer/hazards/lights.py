"""What lights do to pictures of calm places and of dangers alike: lamps and the sun in the lens, infrared, plain fog.

Flames are bright and smoke is pale, but so is a lamp's halo. Pictures are BGR uint8 [H, W, 3]; each function draws how
bad it is from a generator, and gives that as 0 to 1 as well. Lengths are shares of the shorter side.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from trainer.hazards.bad_pictures import Bad, Picture, Random, noise

Light = npt.NDArray[np.float32]

WARM: Final = (0.45, 0.75, 1.0)
COLD: Final = (1.0, 0.95, 0.85)
WHITE: Final = (1.0, 1.0, 1.0)
RED: Final = (0.25, 0.3, 1.0)
COLOURS: Final = (WARM, WARM, COLD, WHITE, WHITE, RED)
"""Of lamps, blue first; warm and white ones are the most common."""

NOISY: Final = 0.3
"""Share of the pictures that are noisy as well."""

BARELY: Final = 0.75
"""Share of the light that fog may take for a danger to be seen."""


def lamps(picture: Picture, draw: Random) -> Bad:
    """Let lamps shine into the lens: a burnt out disc, a halo, rays, and now and then a veil over everything."""
    lit = picture * draw.uniform(0.25, 1.0)
    for _ in range(int(draw.integers(1, 4))):
        lit = lit + _lamp(picture, draw, draw.uniform(0, 1, 2))
    return _whole(lit + draw.uniform(0, 45)), 0.3


def headlights(picture: Picture, draw: Random) -> Bad:
    """Let a car come towards the lens at dusk."""
    down, across = draw.uniform(0.3, 0.9), draw.uniform(0.05, 0.8)
    apart, colour = draw.uniform(0.04, 0.2), _colour(draw)
    lit = picture * draw.uniform(0.12, 0.7)
    for side in (0.0, apart):
        light = _halo(picture, (down, across + side), draw.uniform(0.01, 0.05), draw.uniform(0.05, 0.25))
        lit = lit + light[..., np.newaxis] * colour
    return _whole(lit), 0.3


def low_sun(picture: Picture, draw: Random) -> Bad:
    """Let the sun stand low in the picture or just outside: most of the contrast around it is gone."""
    centre = draw.uniform(-0.15, 1.15, 2)
    share = np.exp(-_distance(picture, centre) / draw.uniform(0.12, 0.6))[..., np.newaxis]
    colour = np.array(WARM if draw.random() < 0.5 else WHITE, np.float32)
    veil = draw.uniform(0.6, 1.6) * share
    ghosts = _ghosts(picture, draw, centre) if draw.random() < 0.4 else 0.0
    return _whole(picture * (1 - np.clip(veil, 0, 0.8)) + 255 * veil * colour + ghosts), 0.4


def night_sight(picture: Picture, draw: Random) -> Bad:
    """Show it in infrared: grey, lit from the camera, near things burnt out, dust that shines before the lens."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    fall = np.exp(-((_distance(picture, draw.uniform(0.3, 0.7, 2)) / draw.uniform(0.35, 1.2)) ** 2))
    lit = (grey * draw.uniform(0.4, 1.3) + draw.uniform(0, 50)) * (draw.uniform(0.1, 0.6) + fall)
    for _ in range(int(draw.integers(0, 12))):
        near = _distance(picture, draw.uniform(0, 1, 2)) < draw.uniform(0.005, 0.04)
        lit += cv2.GaussianBlur(near.astype(np.float32), (0, 0), 1.5) * draw.uniform(40, 160)
    if draw.random() < 0.5:
        lit += _halo(picture, tuple(draw.uniform(0, 1, 2)), draw.uniform(0.01, 0.12), draw.uniform(0.05, 0.3))
    return _whole(np.repeat(lit[..., np.newaxis], 3, 2)), 0.3


def plain_fog(picture: Picture, draw: Random) -> Bad:
    """Let fog lie over the place, thicker towards the top, where things are farther away; no wafts, as smoke has."""
    height = picture.shape[0]
    far = np.linspace(1, draw.uniform(0.2, 1.0), height, dtype=np.float32)[:, np.newaxis, np.newaxis]
    share = np.clip(draw.uniform(0.3, 0.95) * far, 0, 0.97)
    grey = draw.uniform(120, 235) * np.array([1.0, 1.0, draw.uniform(0.92, 1.04)])
    return _whole(picture * (1 - share) + grey * share), float(share.mean() > BARELY)


KINDS: Final[Mapping[str, tuple[Callable[[Picture, Random], Bad], float, float]]] = {
    "lamps": (lamps, 0.3, 1.0),
    "headlights": (headlights, 0.1, 1.0),
    "low_sun": (low_sun, 0.2, 1.0),
    "night_sight": (night_sight, 0.22, 1.0),
    "plain_fog": (plain_fog, 0.18, 0.5),
}
"""Each kind with how often it is drawn, and how bad it may be for a danger to be seen."""


def drawn(picture: Picture, draw: Random) -> tuple[Picture, tuple[str, ...], float]:
    """Light a picture in one way, give it, the names of what was done, and how bad it is."""
    names = list(KINDS)
    name = names[int(draw.choice(len(names), p=[KINDS[one][1] for one in names]))]
    found, level = KINDS[name][0](picture, draw)
    if draw.random() >= NOISY:
        return found, (name,), level
    return noise(found, draw)[0], (name,), level


def _lamp(picture: Picture, draw: Random, centre: Any) -> Any:
    light = _halo(picture, tuple(centre), draw.uniform(0.005, 0.12), draw.uniform(0.03, 0.4))
    if draw.random() < 0.4:
        light = light + _rays(picture, draw, centre)
    return light[..., np.newaxis] * _colour(draw)


def _halo(picture: Picture, centre: tuple[float, ...], radius: float, reach: float) -> Light:
    """Draw a disc and a halo around it, soft as a bell or with a long tail."""
    distance = _distance(picture, centre)
    outside = np.maximum(distance - radius, 0)
    disc = np.where(distance < radius, 420.0, 0.0)
    tail = 230 * np.exp(-outside / reach) + 150 * np.exp(-((distance / (radius + reach)) ** 2))
    return np.asarray(disc + tail, np.float32)


def _rays(picture: Picture, draw: Random, centre: Any) -> Light:
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    angle = np.arctan2(rows - centre[0] * height, columns - centre[1] * width) * draw.integers(2, 5)
    beam = np.abs(np.cos(angle + draw.uniform(0, 3))) ** draw.uniform(20, 90)
    return np.asarray(beam * 200 * np.exp(-_distance(picture, centre) / draw.uniform(0.05, 0.35)), np.float32)


def _ghosts(picture: Picture, draw: Random, centre: Any) -> Any:
    """Draw the lens's reflections of a light: faint discs on the line through the middle."""
    found = np.zeros(picture.shape, np.float32)
    for _ in range(int(draw.integers(2, 6))):
        at = 0.5 + (0.5 - np.asarray(centre)) * draw.uniform(-0.6, 1.2)
        disc = (_distance(picture, at) < draw.uniform(0.01, 0.09)).astype(np.float32)
        found += cv2.GaussianBlur(disc, (0, 0), 2)[..., np.newaxis] * draw.uniform(15, 70) * _colour(draw)
    return found


def _colour(draw: Random) -> Light:
    return np.array(COLOURS[int(draw.integers(len(COLOURS)))], np.float32)


def _distance(picture: Picture, centre: Any) -> Light:
    """Return each pixel's distance from a point (down, across, as shares of the picture), in shorter sides."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    found: Light = np.hypot(rows - centre[0] * height, columns - centre[1] * width) / min(height, width)
    return found


def _whole(values: Any) -> Picture:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
