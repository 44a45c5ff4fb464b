"""What goes wrong with a camera, rendered where it happens: before the lens, at the sensor, or on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from bench.conditions.light import Light, Setting, field
from contract.status import Condition
from edge.infer.image import Picture

Optics = Callable[[Light, Setting, int], Light]
"""Changes the light of one picture, at so many seconds."""
Transport = Callable[[Picture, int], Picture]
"""Changes a picture after it was encoded."""

DEFOCUS_SHARE: Final = 0.02
"""Blur of a lens out of focus, standard deviation, as a share of the picture's width."""

BLOCK: Final = 16
"""Pixels of a side of H.264's blocks."""


@dataclass(frozen=True, slots=True)
class Spoil:
    """One thing that goes wrong."""

    name: str
    expected: frozenset[Condition]
    """Conditions any of which says it."""
    seconds: int = 90
    """How long it lasts."""
    optics: Optics | None = None
    transport: Transport | None = None
    cut: float = 1.0
    """Share of a JPEG's bytes that arrive."""
    has_clock: bool | None = None
    """Whether the camera writes the time into the picture; as the film does where it is None."""
    holds: bool = False
    """Whether the sensor's picture stands still."""
    turns: bool = False
    """Whether the camera is turned by a fifth of its view."""
    damages_packets: bool = False
    """Whether it is sent as H.264, whose packets are damaged on the way."""


def _hand(light: Light, setting: Setting, second: int) -> Light:
    """Fingers before the lens: skin, lit through and between them, and never quite still."""
    height, width = light.shape[:2]
    across = np.linspace(0, 3.2, width, dtype=np.float32) + 0.02 * np.sin(second / 3)
    gaps = np.clip(np.cos(across * np.pi * 2) - 0.3, 0, 1) ** 2
    glow = 0.8 + 0.25 * gaps[None] + 0.12 * field(height, width, (3, 4), 1)
    return np.asarray(glow[..., None] * np.asarray((62, 78, 150), np.float32) * setting.level, np.float32)


def _bag(light: Light, setting: Setting, second: int) -> Light:
    """A plastic bag over the camera that moves in the wind: folds far out of focus."""
    height, width = light.shape[:2]
    folds = field(height, width, (3, 5), second // 2 % 5) * 0.5 + field(height, width, (3, 5), 9) * 0.5
    return np.asarray((1 + 0.25 * folds)[..., None] * np.asarray((140, 136, 128), np.float32) * setting.level)


def _tape(light: Light, setting: Setting, second: int) -> Light:  # noqa: ARG001  # as all the others
    """Tape on the lens, lit through."""
    height, width = light.shape[:2]
    glow = 1 + 0.08 * field(height, width, (2, 2), 4)
    return np.asarray(glow[..., None] * np.asarray((70, 110, 150), np.float32) * setting.level, np.float32)


def _web(light: Light, setting: Setting, second: int) -> Light:
    """A dense spider's web on the dome, lit by the camera's own lamp, in the wind; the view is dim behind it."""
    height, width = light.shape[:2]
    threads = np.zeros((height, width), np.uint8)
    centre = np.asarray((width * (0.45 + 0.01 * np.sin(second)), height * 0.5))
    thick = max(2, width // 40)
    for turn in np.linspace(0, 2 * np.pi, 18, endpoint=False).tolist():
        end = centre + width * np.asarray((np.cos(turn), np.sin(turn)))
        cv2.line(threads, centre.astype(int).tolist(), end.astype(int).tolist(), 255, thick)
    for ring in range(1, 12):
        size = (int(width * ring / 18), int(width * ring / 20))
        cv2.ellipse(threads, centre.astype(int).tolist(), size, 0, 0, 360, 255, thick)
    veil = cv2.GaussianBlur(threads, (0, 0), 0.02 * width).astype(np.float32) / 255
    share = np.clip(0.35 + 0.75 * veil, 0, 0.95)[..., None]
    return np.asarray(light * (1 - share) + 215 * max(0.6, setting.level) * share, np.float32)


def _dark(light: Light, setting: Setting, second: int) -> Light:  # noqa: ARG001  # as all the others
    return light * np.float32(0.03)


def _defocus(light: Light, setting: Setting, second: int) -> Light:  # noqa: ARG001  # as all the others
    return np.asarray(cv2.GaussianBlur(light, (0, 0), DEFOCUS_SHARE * light.shape[1]), np.float32)


def _glare(light: Light, setting: Setting, second: int) -> Light:  # noqa: ARG001  # as all the others
    """The infrared lamp mirrored by a wet dome: white but for the corners."""
    height, width = light.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot(rows / height - 0.5, columns / width - 0.5)
    return np.asarray(light + np.clip(900 * (0.75 - far), 0, 255)[..., None], np.float32)


def _flat(picture: Picture, second: int) -> Picture:  # noqa: ARG001  # as all the others
    return np.full_like(picture, 128)


def _smeared(picture: Picture, second: int) -> Picture:
    """Below some row nothing arrived, and the decoder drew the row above on: by blocks, as H.264 does."""
    if second % 5 == 0:
        return picture
    spoilt = picture.copy()
    row = spoilt.shape[0] * (30 + second * 7 % 30) // 100 // BLOCK * BLOCK
    spoilt[row:] = spoilt[row - 1]
    return spoilt


def _displaced(picture: Picture, second: int) -> Picture:
    """Nearly half of all blocks show what is elsewhere in the picture."""
    if second % 5 == 0:
        return picture
    dice = np.random.default_rng(second)
    down, across = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    spoilt = picture.copy()
    for row, column in np.argwhere(dice.random((down, across)) < 0.45).tolist():
        top, left = int(dice.integers(0, down)) * BLOCK, int(dice.integers(0, across)) * BLOCK
        there = np.s_[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK]
        spoilt[there] = picture[top : top + BLOCK, left : left + BLOCK]
    return spoilt


COVERED: Final = frozenset({Condition.COVERED})
CORRUPT: Final = frozenset({Condition.CORRUPT})

SPOILS: Final = (
    Spoil("hand", COVERED | {Condition.DARK}, optics=_hand),
    Spoil("bag", COVERED, optics=_bag),
    Spoil("tape", COVERED | {Condition.DARK}, optics=_tape),
    Spoil("spider web", COVERED | {Condition.DEFOCUSED}, optics=_web),
    Spoil("infrared glare", COVERED, optics=_glare),
    Spoil("dark", frozenset({Condition.DARK}), optics=_dark),
    Spoil("defocused", frozenset({Condition.DEFOCUSED}), optics=_defocus),
    Spoil("frozen", frozenset({Condition.FROZEN}), 330, holds=True, has_clock=False),
    Spoil("frozen, clock runs", frozenset({Condition.FROZEN}), 330, holds=True, has_clock=True),
    Spoil("flat grey frames", CORRUPT, 40, transport=_flat),
    Spoil("half a JPEG", CORRUPT, 40, cut=0.4),
    Spoil("smeared", CORRUPT, 40, transport=_smeared),
    Spoil("displaced blocks", CORRUPT, 40, transport=_displaced),
    Spoil("H.264, damaged", CORRUPT, 40, damages_packets=True),
    Spoil("moved", frozenset({Condition.MOVED}), 150, turns=True),
)
