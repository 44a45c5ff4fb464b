"""Films of one yard, rendered: by day, at dusk, by night and in rain, with people who pass; and what can go wrong."""

from collections.abc import Callable, Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.infer.image import Picture

HEIGHT: Final = 180
WIDTH: Final = 320
Scene = NDArray[np.float32]
Spoil = Callable[[Picture], Picture]

LIGHT: Final = {"day": 1.0, "dusk": 0.4, "night": 0.2, "rain": 0.7}
NOISE: Final = {"day": 2.0, "dusk": 4.0, "night": 6.0, "rain": 3.0}


def yard(seed: int = 1) -> Scene:
    """Draw a yard, float [HEIGHT, WIDTH, 3] from 0 to 255: sky, walls with windows, ground with lines."""
    dice = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), (210, 190, 170), np.float32)
    picture[HEIGHT // 2 :] = (95, 100, 105)
    for _ in range(14):
        left, top = int(dice.integers(0, WIDTH - 40)), int(dice.integers(15, HEIGHT - 60))
        right, bottom = left + int(dice.integers(20, 80)), top + int(dice.integers(20, 70))
        cv2.rectangle(picture, (left, top), (right, bottom), dice.integers(30, 230, 3).tolist(), -1)
        cv2.rectangle(picture, (left + 5, top + 5), (left + 12, top + 14), dice.integers(10, 250, 3).tolist(), -1)
    for _ in range(8):
        ends = dice.integers(0, (WIDTH, HEIGHT), (2, 2)).tolist()
        cv2.line(picture, ends[0], ends[1], (225, 225, 225), 2)
    grain = dice.normal(0, 9, picture.shape[:2])[..., None]
    return np.asarray(picture + grain, np.float32)


def film(weather: str, seconds: int, *, seed: int = 1, noise_seed: int = 7) -> Iterator[Picture]:
    """Yield a picture a second, uint8 [HEIGHT, WIDTH, 3]; someone walks through twice a minute."""
    dice, ground = np.random.default_rng(noise_seed), yard(seed)
    for second in range(seconds):
        picture = ground * LIGHT[weather] * (1 + 0.05 * np.sin(second / 90))
        if second % 30 < 12:
            left = (second % 30) * 25
            picture[70:130, left : left + 18] = np.asarray((40, 50, 120)) * LIGHT[weather]
        if weather == "rain":
            for left, top in dice.integers(0, (WIDTH, HEIGHT - 15), (120, 2)).tolist():
                cv2.line(picture, (left, top), (left + 2, top + 12), (170, 170, 170), 1)
        if weather == "night":
            cv2.circle(picture, (40 * seed, 40), 9, (235, 245, 250), -1)
        yield _exposed(picture + dice.normal(0, NOISE[weather], picture.shape))


def dawn(seconds: int) -> Iterator[Picture]:
    """Yield a night that becomes day, a picture a second."""
    dice, ground = np.random.default_rng(3), yard()
    for second in range(seconds):
        light = 0.2 + 0.8 * second / seconds
        yield _exposed(ground * light + dice.normal(0, 6 - 4 * light, ground.shape))


def covered(picture: Picture) -> Picture:
    """Hold a hand before the lens: light from its edges, and noise."""
    glow = np.linspace(88, 96, picture.shape[1])[None, :, None] * np.ones_like(picture)
    return _exposed(glow + np.random.default_rng(int(picture[0, 0, 0])).normal(0, 1.5, picture.shape))


def glare(picture: Picture) -> Picture:
    """Light an infrared lamp on a wet dome: white but for the corners."""
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    far = np.hypot((rows - HEIGHT / 2) / HEIGHT, (columns - WIDTH / 2) / WIDTH)
    return _exposed(picture + np.clip(900 * (0.75 - far), 0, 255)[..., None])


def dark(picture: Picture) -> Picture:
    """Switch off the light."""
    return _exposed(picture * 0.03 + np.random.default_rng(int(picture[0, 0, 0])).normal(0, 2, picture.shape))


def defocused(picture: Picture) -> Picture:
    """Turn the focus ring; the sensor's noise stays."""
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.025 * WIDTH)
    return _exposed(blurred + np.random.default_rng(int(picture[0, 0, 0])).normal(0, 0.3, picture.shape))


def undecoded(picture: Picture) -> Picture:
    """Fill the lower half as a decoder does that misses its reference."""
    spoilt = picture.copy()
    spoilt[HEIGHT // 2 :] = 128
    return spoilt


def all_grey(picture: Picture) -> Picture:
    """Fill all of it."""
    return np.full_like(picture, 128)


def hand(picture: Picture) -> Picture:
    """Hold a hand before the lens that light shines through: coloured, and brighter at one side."""
    glow = np.linspace(0.5, 1.1, picture.shape[1])[None, :, None] * np.asarray((62, 78, 150))
    return _exposed(glow + np.random.default_rng(int(picture[0, 0, 0])).normal(0, 2, picture.shape))


def noisy(picture: Picture, deviation: float, dice: np.random.Generator) -> Picture:
    """Add a sensor's noise."""
    return _exposed(np.rint(picture + dice.normal(0, deviation, picture.shape)))


def smeared(picture: Picture) -> Picture:
    """Draw on the last row that arrived, as a decoder does."""
    spoilt = picture.copy()
    spoilt[HEIGHT // 2 :] = spoilt[HEIGHT // 2]
    return spoilt


def displaced(picture: Picture) -> Picture:
    """Show half of all blocks of 16 pixels where they do not belong."""
    dice, spoilt = np.random.default_rng(int(picture[0, 0, 0])), picture.copy()
    for row, column in np.argwhere(dice.random((HEIGHT // 16, WIDTH // 16)) < 0.5).tolist():
        top, left = int(dice.integers(HEIGHT // 16)) * 16, int(dice.integers(WIDTH // 16)) * 16
        spoilt[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = picture[top : top + 16, left : left + 16]
    return spoilt


def compressed(picture: Picture, quality: int = 12) -> Picture:
    """Send a picture as JPEG through a narrow line."""
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def shaken(picture: Picture, second: int) -> Picture:
    """Film from a mast in the wind: two hundredths of the width, another way each second."""
    shift = np.asarray([[1, 0, 6 * np.sin(second * 9)], [0, 1, 4 * np.cos(second * 11)]], np.float32)
    return np.asarray(cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8)


def with_clock(picture: Picture, second: int) -> Picture:
    """Write the time into a picture, as cameras do."""
    written = picture.copy()
    time = f"2026-11-29 08:{second // 60 % 60:02d}:{second % 60:02d}"
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(written, time, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick)
    return written


def _exposed(picture: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
