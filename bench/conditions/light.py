"""Light and weather that a scene is filmed in: what reaches the lens, and how noisy the sensor is then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.fixtures import weather
from edge.infer.image import Picture

Light = NDArray[np.float32]
"""What reaches the lens, [H, W, 3] from 0 to 255 and beyond, blue first."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Light and weather of one film."""

    name: str
    light: Callable[[Picture, float], Light]
    """Changes a scene, uint8 [H, W, 3], at so many seconds."""
    noise: float
    """Standard deviation of the sensor's noise, in grey levels."""
    level: float
    """Brightness of something close to the lens, as a share of that by day."""
    is_steady: bool = True
    """Whether the camera stands still and its exposure with it: the others are watched as calm film only."""


def _day(scene: Picture, seconds: float) -> Light:
    return scene * np.float32(1 + 0.05 * np.sin(seconds / 90))


def _dimmed(scene: Picture, brightness: float, tint: tuple[float, float, float]) -> Light:
    share = min(1.0, brightness / max(1.0, float(scene.mean())))
    return np.asarray(scene * (np.asarray(tint, np.float32) * np.float32(share)), np.float32)


def _dusk(scene: Picture, seconds: float) -> Light:
    return _dimmed(scene, 58 + 4 * float(np.sin(seconds / 120)), (1.12, 1.0, 0.92))


def _night(scene: Picture, seconds: float) -> Light:  # noqa: ARG001  # as all the others
    """Lamps leave a scene a fifth as bright as by day, and one of them is in the picture."""
    lit = _dimmed(scene, 30, (0.85, 1.0, 1.12))
    height, width = scene.shape[:2]
    cv2.circle(lit, (width // 6, height // 5), max(3, width // 60), (235, 245, 250), -1)
    return lit


def _rain(scene: Picture, seconds: float) -> Light:
    return weather.rain(scene, seconds).astype(np.float32)


def _fog(scene: Picture, seconds: float) -> Light:
    """Two thirds of the contrast gone, more of it from time to time."""
    share = 0.62 + 0.1 * float(np.sin(seconds / 17))
    return scene * np.float32(1 - share) + np.float32(196 * share)


def _infrared(scene: Picture, seconds: float) -> Light:  # noqa: ARG001  # as all the others
    """Grey, by the camera's own lamp: bright in the middle, dim at the edges."""
    grey = cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY).astype(np.float32)
    height, width = grey.shape
    across = ((np.arange(width, dtype=np.float32) / width - 0.5) / 0.45) ** 2
    down = ((np.arange(height, dtype=np.float32) / height - 0.5) / 0.45) ** 2
    lit = grey * 0.7 * (0.35 + 1.1 * np.exp(-across[None] - down[:, None])) + 8
    return np.asarray(np.repeat(lit[..., None], 3, axis=2), np.float32)


def _by(change: weather.Weather) -> Callable[[Picture, float], Light]:
    def light(scene: Picture, seconds: float) -> Light:
        return change(scene, seconds).astype(np.float32)

    return light


SETTINGS: Final = (
    Setting("day", _day, 2.0, 1.0),
    Setting("dusk", _dusk, 4.0, 0.5),
    Setting("night", _night, 5.0, 0.3),
    Setting("rain", _rain, 3.0, 0.8),
    Setting("fog", _fog, 2.0, 0.9),
    Setting("infrared", _infrared, 4.0, 0.8),
    Setting("shake", _by(weather.shake), 2.0, 1.0, is_steady=False),
    Setting("exposure", _by(weather.exposure), 2.0, 1.0, is_steady=False),
    Setting("lamp", _by(weather.glare), 2.0, 1.0, is_steady=False),
    Setting("denoised", _day, 0.4, 1.0, is_steady=False),
    Setting("denoised night", _night, 0.8, 0.3, is_steady=False),
)
"""A lamp is one that shines into the lens; a denoised film is of a camera that smooths its noise away."""


def field(height: int, width: int, cells: tuple[int, int], seed: int) -> NDArray[Any]:
    """Return smooth bumps, float32 [height, width] of about -1 to 1, over so many cells down and across."""
    bumps = np.random.default_rng(seed).uniform(-1, 1, cells).astype(np.float32)
    return np.asarray(cv2.resize(bumps, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
