"""A rendered film of a real kind of danger: a backyard at dusk, where a waste bin begins to burn.

Nothing in it was photographed: value noise (Perlin 1985, section 2, with a cubic kernel) makes brick, asphalt, flames
and smoke. It stands in for a clip of a fire, which no package brings. Coordinates are shares of the frame, from the top
left.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.errors import Stuck

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]

WIDTH: Final = 640
HEIGHT: Final = 360
"""Pixels."""

RATE: Final = 8
"""Frames per second."""

CALM_SECONDS: Final = 4.0
"""Before the bin begins to burn."""

GROWTH_SECONDS: Final = 4.0
"""From the first flame to the full fire."""

SECONDS: Final = 16.0
"""The whole film."""

BIN_X: Final = 0.56
BIN_TOP: Final = 0.72
FLOOR: Final = 0.62
"""The middle and the upper edge of the bin, and where the wall meets the ground."""

_HEAT: Final = (0.0, 0.2, 0.45, 0.7, 1.0)
_RED, _GREEN, _BLUE = (20, 170, 255, 255, 255), (5, 40, 120, 205, 250), (0, 5, 15, 60, 200)
"""Colours of glowing soot from cool to hot, 0 to 255, at the heats of `_HEAT`."""


def write(path: Path) -> None:
    """Render the film into an MP4 file; raises `Stuck` where OpenCV cannot write one."""
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (WIDTH, HEIGHT))
    if not film.isOpened():
        raise Stuck(f"{path}: OpenCV cannot write a film here; name one of yours with --clip FILE")
    yard = background()
    for number in range(round(SECONDS * RATE)):
        film.write(frame(yard, number / RATE))
    film.release()


def frame(yard: Plane, seconds: float) -> Picture:
    """Render the yard at a time of the film: BGR [H, W, 3]."""
    picture = yard.copy()
    burning = min(1.0, max(0.0, seconds - CALM_SECONDS) / GROWTH_SECONDS)
    if burning > 0:
        height = int((0.25 + 0.55 * burning) * HEIGHT)
        _smoke(picture, seconds, height, burning)
        _flames(picture, seconds, height)
        _glow(picture, seconds, height)
    grain = np.random.default_rng(int(seconds * RATE)).normal(0, 2.5, (HEIGHT, WIDTH, 1))
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def background() -> Plane:
    """Render the yard without a fire: BGR [H, W, 3], 0 to 255."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    floor = int(FLOOR * HEIGHT)
    picture[:floor] = (58, 66, 92)
    for row, top in enumerate(range(0, floor, 14)):
        picture[top : top + 2, :] = (70, 76, 84)
        for left in range(-(row % 2) * 16, WIDTH, 32):
            picture[top : top + 14, max(0, left) : max(0, left + 2)] = (70, 76, 84)
    picture[:floor] *= 0.75 + 0.5 * _noise(floor, WIDTH, 23, 0, 1)[..., None]
    picture[floor:] = (72, 70, 68)
    picture[floor:] *= 0.7 + 0.6 * _noise(HEIGHT - floor, WIDTH, 5, 0, 2)[..., None]
    _box(picture, (0.08, 0.16, 0.22, FLOOR), (48, 60, 62))
    _box(picture, (0.09, 0.18, 0.21, 0.40), (66, 74, 76))
    _box(picture, (0.78, 0.14, 0.94, 0.40), (96, 92, 80))
    _box(picture, (0.855, 0.14, 0.865, 0.40), (60, 62, 64))
    half = 0.055
    _box(picture, (BIN_X - half, BIN_TOP, BIN_X + half, 0.94), (52, 78, 50))
    _box(picture, (BIN_X - half - 0.01, BIN_TOP - 0.02, BIN_X + half + 0.01, BIN_TOP + 0.015), (40, 60, 38))
    soft: Plane = cv2.GaussianBlur(picture, (0, 0), 0.9).astype(np.float32)
    return soft


def _box(picture: Plane, corners: tuple[float, float, float, float], bgr: tuple[int, int, int]) -> None:
    left, top, right, bottom = corners
    picture[int(top * HEIGHT) : int(bottom * HEIGHT), int(left * WIDTH) : int(right * WIDTH)] = bgr


def _noise(height: int, width: int, size: float, moved: float, seed: int) -> Plane:
    """Return smooth noise, 0 to 1, [height, width]: spots of `size` pixels, shifted upwards by `moved` pixels."""
    rows, columns = int(height / size) * 8 + 8, int(width / size) + 4
    spots = np.random.default_rng(seed).random((rows, columns), np.float32)
    x, y = np.meshgrid(
        np.arange(width, dtype=np.float32) / np.float32(size),
        ((np.arange(height) + moved) / size % (rows - 3)).astype(np.float32),
    )
    smooth: Plane = np.clip(cv2.remap(spots, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP), 0, 1)
    return smooth


def _turbulence(height: int, width: int, speed: float, sizes: tuple[float, ...], seed: int) -> Plane:
    """Add noise of several sizes, the finer ones weaker and faster; 0 to 1."""
    weights = np.array([0.5**step for step in range(len(sizes))], np.float32)
    layers = [
        weight * _noise(height, width, size, speed * (1 + 0.5 * step), seed + step)
        for step, (weight, size) in enumerate(zip(weights, sizes, strict=True))
    ]
    total: Plane = (np.sum(layers, axis=0) / weights.sum()).astype(np.float32)
    return total


def _flames(picture: Plane, seconds: float, height: int) -> None:
    width = int(height * 0.85)
    up, across = np.linspace(1, 0, height)[:, None], np.linspace(-1, 1, width)[None]
    sway = (_noise(height, width, height / 3, seconds * height, 5) - 0.5) * up * 0.9
    rough = _turbulence(height, width, seconds * height * 1.3, (height / 4, height / 9, height / 18), 10)
    shape = np.clip(1 - (np.abs(across + sway) / (0.12 + 0.62 * (1 - up) ** 0.7)) ** 2, 0, 1) * np.clip(up * 14, 0, 1)
    heat = np.clip((shape * 1.35 + rough * 1.5 - 1.15) * 1.3, 0, 1) * np.clip(shape * 3, 0, 1)
    colour = np.stack([np.interp(heat, _HEAT, band) for band in (_BLUE, _GREEN, _RED)], -1)
    _paste(
        picture, np.clip(heat * 2.4, 0, 1), colour, int(BIN_TOP * HEIGHT) - height + 4, int(BIN_X * WIDTH) - width // 2
    )


def _smoke(picture: Plane, seconds: float, height: int, burning: float) -> None:
    tall, width = int(HEIGHT * 0.8), int(height * 1.5)
    rough = _turbulence(tall, width, seconds * tall * 0.3, (tall / 4, tall / 10), 20)
    up, across = np.linspace(1, 0, tall)[:, None], np.linspace(-1, 1, width)[None]
    column = np.clip(1 - (np.abs(across) / (0.35 + 0.6 * up)) ** 2, 0, 1)
    thick = column * np.clip(rough * 1.9 - 0.35, 0, 1) * np.clip((1 - up) * 5, 0, 1) * 0.85 * burning
    grey = np.repeat((50 + 70 * rough)[..., None], 3, axis=-1)
    _paste(picture, thick, grey, int(BIN_TOP * HEIGHT) - height // 2 - tall, int(BIN_X * WIDTH) - width // 2)


def _glow(picture: Plane, seconds: float, height: int) -> None:
    """Light wall and ground up, flickering."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    away = (x - BIN_X * WIDTH) ** 2 + (y - BIN_TOP * HEIGHT + height / 3) ** 2
    light = np.exp(-away / np.float32(1.2 * height * height))
    picture += light[..., None] * np.array([10, 50, 110], np.float32) * np.float32(0.8 + 0.2 * np.sin(seconds * 9))


def _paste(picture: Plane, share: NDArray[np.floating], colour: NDArray[np.floating], top: int, left: int) -> None:
    """Lay a colour [h, w, 3] over the picture, by a share [h, w] from 0 to 1; what lies outside is cut off."""
    rows = slice(max(0, top), min(HEIGHT, top + share.shape[0]))
    columns = slice(max(0, left), min(WIDTH, left + share.shape[1]))
    cut = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    much = share[cut][..., None]
    picture[rows, columns] = picture[rows, columns] * (1 - much) + colour[cut] * much
