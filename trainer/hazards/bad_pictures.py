"""What cameras do to pictures: noise, darkness, infrared, blur, glare, weather, compression, a lens that is covered.

Pictures are BGR uint8 [H, W, 3]. Each function draws how bad it is from a generator, and gives that as 0 to 1 as well.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Random = np.random.Generator
Bad = tuple[Picture, float]

TOGETHER: Final = 0.35
"""Share of the pictures of bad light or of few pixels that are noisy, blurred or compressed as well."""


def noise(picture: Picture, draw: Random) -> Bad:
    """Add the noise of a sensor."""
    sigma = draw.uniform(8, 45)
    return _whole(picture + draw.normal(0, sigma, picture.shape)), float((sigma - 8) / 37)


def dark(picture: Picture, draw: Random) -> Bad:
    """Take away most of the light."""
    light, level = _little_light(picture, draw)
    return _whole(light[0]), level


def gain(picture: Picture, draw: Random) -> Bad:
    """Take away most of the light, and amplify what is left with its noise."""
    (light, share), level = _little_light(picture, draw)
    return _whole(light * min(1 / share, draw.uniform(4, 25)) * draw.uniform(0.6, 1.1)), level


def infrared(picture: Picture, draw: Random) -> Bad:
    """Show it in grey, lit by a lamp beside the lens."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    centre = draw.uniform(0.3, 0.7, 2)
    lamp = np.exp(-_squares(grey.shape, centre) * draw.uniform(0, 6))
    lit = np.clip((grey - 128) * draw.uniform(0.7, 1.4) + 128, 0, 255) * lamp * draw.uniform(0.6, 1.4)
    if draw.random() < 0.3:
        spot = draw.uniform(0.05, 0.25)
        lit += draw.uniform(120, 350) * np.exp(-_squares(grey.shape, draw.uniform(0, 1, 2)) / (2 * spot**2))
    lit += draw.normal(0, draw.uniform(1, 14), grey.shape)
    return _whole(np.repeat(lit[..., np.newaxis], 3, 2)), 0.3


def blur(picture: Picture, draw: Random) -> Bad:
    """Put it out of focus."""
    sigma = draw.uniform(1, 7)
    return _picture(cv2.GaussianBlur(picture, (0, 0), sigma * min(picture.shape[:2]) / 256)), float((sigma - 1) / 6)


def glare(picture: Picture, draw: Random) -> Bad:
    """Let lamps or the sun shine into the lens."""
    lit = picture.astype(np.float32)
    for _ in range(int(draw.integers(1, 4))):
        colour = np.array([draw.uniform(0.6, 1), draw.uniform(0.8, 1), 1.0]) if draw.random() < 0.7 else np.ones(3)
        spot = draw.uniform(0.04, 0.4)
        light = np.exp(-_squares(picture.shape[:2], draw.uniform(-0.1, 1.1, 2)) / (2 * spot**2))
        lit += draw.uniform(120, 420) * colour * light[..., np.newaxis]
    return _whole(lit), 0.3


def fog(picture: Picture, draw: Random) -> Bad:
    """Let fog lie before the lens."""
    share = draw.uniform(0.2, 0.8)
    return _whole(picture * (1 - share) + draw.uniform(140, 230) * share + draw.normal(0, 2, picture.shape)), share


def rain(picture: Picture, draw: Random) -> Bad:
    """Draw streaks of rain."""
    height, width = picture.shape[:2]
    streaks, slant = np.zeros((height, width), np.float32), draw.uniform(-0.4, 0.4)
    for _ in range(int(draw.integers(100, 900))):
        x, y, length = draw.uniform(0, width), draw.uniform(0, height), draw.uniform(0.02, 0.12) * height
        end = (int(x + slant * length), int(y + length))
        cv2.line(streaks, (int(x), int(y)), end, float(draw.uniform(0.2, 1)), 1)
    share = cv2.GaussianBlur(streaks, (0, 0), 0.6)[..., np.newaxis]
    return _whole(picture * (1 - 0.5 * share) * draw.uniform(0.6, 1) + share * draw.uniform(80, 180)), 0.3


def compressed(picture: Picture, draw: Random) -> Bad:
    """Compress it hard."""
    quality = int(draw.integers(4, 25))
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return _picture(cv2.imdecode(data, cv2.IMREAD_COLOR)), (25 - quality) / 21


def few_pixels(picture: Picture, draw: Random) -> Bad:
    """Show it with a fraction of its pixels."""
    share, (height, width) = draw.uniform(0.15, 0.5), picture.shape[:2]
    small = cv2.resize(picture, (max(8, int(width * share)), max(8, int(height * share))), interpolation=cv2.INTER_AREA)
    return _picture(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)), 1 - share


def sideways(picture: Picture, draw: Random) -> Bad:
    """Turn it by a quarter."""
    return np.ascontiguousarray(np.rot90(picture, 1 if draw.random() < 0.5 else 3)), 0.0


def upside_down(picture: Picture, _draw: Random) -> Bad:
    """Turn it by a half."""
    return np.ascontiguousarray(picture[::-1, ::-1]), 0.0


def exposure(picture: Picture, draw: Random) -> Bad:
    """Expose it wrongly."""
    shares = (picture / 255.0) ** np.exp(draw.uniform(-1, 1))
    return _whole(shares * 255 * draw.uniform(0.4, 2.2)), 0.3


def colour_cast(picture: Picture, draw: Random) -> Bad:
    """Balance its white wrongly."""
    return _whole(picture * draw.uniform(0.55, 1.35, 3) + draw.uniform(-15, 15, 3)), 0.2


def covered(picture: Picture, draw: Random) -> Bad:
    """Cover the lens: next to nothing shows through."""
    colour = np.clip(draw.choice([0, 20, 60, 120, 200]) + draw.normal(0, 12, 3), 0, 255)
    behind = cv2.GaussianBlur(picture, (0, 0), 0.2 * min(picture.shape[:2]))
    share = draw.uniform(0, 0.5)
    seen = np.ones(picture.shape) * colour * (1 - share) + behind * share
    return _whole(seen + draw.normal(0, draw.uniform(0, 10), picture.shape)), 1.0


KINDS: Final[Mapping[str, tuple[Callable[[Picture, Random], Bad], float, float]]] = {
    "noise": (noise, 1.5, 0.7),
    "dark": (dark, 1.5, -1.0),
    "gain": (gain, 2.0, 0.45),
    "infrared": (infrared, 2.0, 1.0),
    "blur": (blur, 1.7, 0.35),
    "glare": (glare, 1.2, 1.0),
    "fog": (fog, 0.8, 0.6),
    "rain": (rain, 0.7, 1.0),
    "compressed": (compressed, 0.8, 0.8),
    "few_pixels": (few_pixels, 0.7, 0.7),
    "sideways": (sideways, 1.0, 1.0),
    "upside_down": (upside_down, 0.6, 1.0),
    "exposure": (exposure, 0.8, 1.0),
    "colour_cast": (colour_cast, 0.5, 1.0),
    "covered": (covered, 0.5, -1.0),
}
"""Each kind with how often it is drawn, and how bad it may be for a danger to be seen: beyond, nobody can tell."""

WITH: Final = ("noise", "compressed", "blur", "gain")
"""What may come on top."""

BAD_LIGHT: Final = frozenset({"infrared", "dark", "few_pixels", "sideways", "upside_down"})
"""Kinds on which something more may come."""


def drawn(picture: Picture, draw: Random) -> tuple[Picture, tuple[str, ...], float]:
    """Make a picture bad in one or two ways; give it, their names, and the worse one's level."""
    names = list(KINDS)
    odds = np.array([KINDS[name][1] for name in names])
    name = names[int(draw.choice(len(names), p=odds / odds.sum()))]
    found, level = KINDS[name][0](picture, draw)
    if name not in BAD_LIGHT or draw.random() >= TOGETHER:
        return found, (name,), level
    second = WITH[int(draw.integers(len(WITH)))]
    found, more = KINDS[second][0](found, draw)
    return found, (name, second), max(level, more)


def _little_light(picture: Picture, draw: Random) -> tuple[tuple[Any, float], float]:
    share = float(np.exp(draw.uniform(np.log(0.03), np.log(0.3))))
    light = picture.astype(np.float32) * share
    spread = np.sqrt(light * draw.uniform(0.05, 0.4) + draw.uniform(0.3, 6))
    return (light + draw.normal(0, 1, picture.shape) * spread, share), float(1 - np.log(share / 0.03) / np.log(10))


def _squares(shape: tuple[int, ...], centre: Any) -> Any:
    """Return each pixel's squared distance from a point, in shares of the shorter side."""
    height, width = shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    squared = (rows - centre[0] * height) ** 2 + (columns - centre[1] * width) ** 2
    shares: npt.NDArray[np.float32] = squared / min(height, width) ** 2
    return shares


def _whole(values: Any) -> Picture:
    return _picture(np.clip(values, 0, 255))


def _picture(values: Any) -> Picture:
    return np.asarray(values, np.uint8)
