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


def _exposed(picture: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
