"""The gate: which frames are worth a sentence.

Thumbnails are brightness, uint8 [h, w]; times are seconds on the camera's own clock, so that a file replayed fast is
judged as it would be live.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge import config

Thumbnail = NDArray[np.uint8]

HEIGHT: Final = 36
WIDTH: Final = 64
"""Size of a thumbnail: a person who fills a hundredth of the frame still covers 23 of its 2,304 spots."""

SLACK_SECONDS: Final = 0.001
"""By so much a look may come early."""

WHITE: Final = 255.0
"""Thumbnails count brightness from 0 to this, settings from 0 to 1."""


class Reason(StrEnum):
    """Why a frame is captioned or not."""

    FIRST = "first"
    """Nothing was captioned before."""
    SCENE = "scene"
    """It looks unlike the last captioned frame."""
    MOTION = "motion"
    """Something moved since the frame before."""
    OVERDUE = "overdue"
    """Nothing happens, but the last caption is old."""
    STILL = "still"
    """Nothing happens."""
    TOO_SOON = "too-soon"
    """Something happens, but the last caption is very young."""
    BUSY = "busy"
    """It is worth a sentence or a look, but this camera's share of the processor is used up."""
    DOUBT = "doubt"
    """A danger may be about to begin or to end: its evidence is weighed, and a sentence written only if it does."""
    DISARMED = "disarmed"
    """People have switched off watching."""


WORTH: Final = frozenset({Reason.FIRST, Reason.SCENE, Reason.MOTION, Reason.OVERDUE})
"""The reasons to caption a frame."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the gate keeps from one frame to the next."""

    before: Thumbnail
    """The frame before."""
    captioned: Thumbnail
    """The last captioned frame."""
    captioned_at: float
    """Its time."""
    looked_at: float
    """Time of the last frame whose evidence was weighed."""

    def after_caption(self) -> "Memory":
        """Return what to remember where the frame just judged was captioned after all."""
        return Memory(self.before, self.before, self.looked_at, self.looked_at)

    def before_look(self, last: "Memory") -> "Memory":
        """Return what to remember where the frame just judged was not looked at after all; `last` is from before it."""
        return Memory(self.before, last.captioned, last.captioned_at, last.looked_at)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision on one frame."""

    reason: Reason
    """Why."""
    motion: float
    """Share of the frame that moved since the frame before, 0 to 1."""
    change: float
    """Mean change of brightness since the last captioned frame, 0 to 1."""

    @property
    def caption(self) -> bool:
        """Whether the frame is worth a sentence."""
        return self.reason in WORTH

    @property
    def look(self) -> bool:
        """Whether its evidence is worth weighing."""
        return self.caption or self.reason is Reason.DOUBT


def judge(
    thumbnail: Thumbnail,
    at: float,
    memory: Memory | None,
    settings: config.Gate,
    look_again_seconds: float = math.inf,
) -> tuple[Verdict, Memory]:
    """Decide on the frame taken at `at`, and return what to remember for the next.

    `look_again_seconds` after the last look, the frame is worth one even where nothing happens.
    """
    if memory is None:
        return Verdict(Reason.FIRST, 0.0, 0.0), Memory(thumbnail, thumbnail, at, at)
    motion = float(np.mean(_difference(thumbnail, memory.before) > settings.motion_step * WHITE))
    change = float(np.mean(_difference(thumbnail, memory.captioned))) / WHITE
    reason = _reason(motion, change, at - memory.captioned_at, settings)
    # A thousandth of slack: times of a film are sums of fractions.
    if reason not in WORTH and at - memory.looked_at >= look_again_seconds - SLACK_SECONDS:
        reason = Reason.DOUBT
    verdict = Verdict(reason, motion, change)
    if verdict.caption:
        return verdict, Memory(thumbnail, thumbnail, at, at)
    looked_at = at if verdict.look else memory.looked_at
    return verdict, Memory(thumbnail, memory.captioned, memory.captioned_at, looked_at)


def _reason(motion: float, change: float, age: float, settings: config.Gate) -> Reason:
    """Choose the reason from what happened and the seconds since the last caption."""
    happens = None
    if motion >= settings.motion_share:
        happens = Reason.MOTION
    if change >= settings.scene_change:
        happens = Reason.SCENE
    if happens is not None:
        return happens if age >= settings.min_gap_seconds else Reason.TOO_SOON
    return Reason.OVERDUE if age >= settings.overdue_seconds else Reason.STILL


def _difference(one: Thumbnail, other: Thumbnail) -> NDArray[np.int16]:
    difference: NDArray[np.int16] = np.abs(one.astype(np.int16) - other)
    return difference
