"""One film of a camera, a picture a second: scene, light, lens, sensor, clock, encoder and way, in this order.

The same film is rendered from the same clip, light and fault, whatever else is rendered.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from bench.conditions import ffmpeg
from bench.conditions.clips import Clip
from bench.conditions.light import Light, Setting
from bench.conditions.spoils import Spoil
from edge.infer.image import Picture

BEGINS: Final = 40
"""Second at which something goes wrong."""

STILL_SECONDS: Final = 60
"""So long nobody moves, then so long somebody does, and so on."""

QUALITY: Final = 80
"""Of the JPEGs."""

KEPT: Final = 0.8
"""Share of the view's width that a camera shows that will be turned."""

SHEET: Final = 1024
"""Side of the sheet that noise is cut from: drawing it anew would cost more than watching."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is filmed, in what light, and what goes wrong at `BEGINS`."""

    clip: Clip
    setting: Setting
    spoil: Spoil | None = None

    @property
    def seed(self) -> int:
        """What all chance of this film is drawn by."""
        fault = "" if self.spoil is None else self.spoil.name
        return zlib.crc32(f"{self.clip.name}/{self.setting.name}/{fault}".encode())

    @property
    def has_clock(self) -> bool:
        """Whether the camera writes the time into its picture: every second one does."""
        if self.spoil is not None and self.spoil.has_clock is not None:
            return self.spoil.has_clock
        return zlib.crc32(self.clip.name.encode()) % 2 == 0

    def pictures(self, seconds: int) -> Iterator[Picture]:
        """Yield what the device decodes, uint8 [H, W, 3], a picture a second."""
        if self.spoil is not None and self.spoil.damages_packets:
            return ffmpeg.with_damage(self._encoded(self._exposed(seconds)), BEGINS, self.seed)
        return self._encoded(self._exposed(seconds))

    def _exposed(self, seconds: int) -> Iterator[Picture]:
        """Yield what the sensor sees, with the time written into it."""
        sensed: Picture | None = None
        for second in range(seconds):
            dice = np.random.default_rng((self.seed, second))
            is_spoilt = self.spoil is not None and second >= BEGINS
            if sensed is None or not (is_spoilt and self.spoil is not None and self.spoil.holds):
                light = self.setting.light(self._scene(second, dice, is_turned=is_spoilt), float(second))
                if is_spoilt and self.spoil is not None and self.spoil.optics is not None:
                    light = self.spoil.optics(light, self.setting, second)
                sensed = _sensed(light, self.setting.noise, dice)
            yield _with_clock(sensed, second) if self.has_clock else sensed

    def _scene(self, second: int, dice: np.random.Generator, *, is_turned: bool) -> Picture:
        pictures = self.clip.pictures
        drawn = int(dice.integers(len(pictures)))
        is_still = second // STILL_SECONDS % 2 == 0
        scene = pictures[second // (2 * STILL_SECONDS) % len(pictures) if is_still else drawn]
        if self.spoil is None or not self.spoil.turns:
            return scene
        width = int(scene.shape[1] * KEPT) // 2 * 2
        return scene[:, -width:] if is_turned else scene[:, :width]

    def _encoded(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """Encode and decode each as JPEG; damage it on the way once something goes wrong there."""
        for second, picture in enumerate(pictures):
            data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
            spoil = self.spoil if second >= BEGINS else None
            if spoil is not None and spoil.cut < 1:
                half = ffmpeg.half_decoded(data[: int(len(data) * spoil.cut)].tobytes())
                if half is not None:
                    yield half
                continue
            decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            yield decoded if spoil is None or spoil.transport is None else spoil.transport(decoded, second)


def _sensed(light: Light, noise: float, dice: np.random.Generator) -> Picture:
    """Expose a sensor with this much noise to the light."""
    height, width = light.shape[:2]
    top, left = dice.integers(0, (SHEET - height % SHEET, SHEET - width % SHEET))
    grain = _SHEET[top : top + height, left : left + width]
    return np.asarray(cv2.addWeighted(light, 1, grain, noise, 0, dtype=cv2.CV_8U), np.uint8)


def _with_clock(picture: Picture, second: int) -> Picture:
    """Write the time as cameras do: white with a black edge, at the top, and a name at the bottom."""
    written, height = picture.copy(), picture.shape[0]
    size, thick = height / 480, max(1, height // 240)
    time = f"2026-11-29 {8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    for text, at in ((time, (height // 40, height // 16)), ("CAM 03", (height // 40, height - height // 40))):
        for colour, width in (((0, 0, 0), 3 * thick), ((255, 255, 255), thick)):
            cv2.putText(written, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA)
    return written


_SHEET: Final = np.random.default_rng(11).standard_normal((SHEET, SHEET, 3), np.float32)
