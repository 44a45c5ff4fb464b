"""What an LED and a buzzer show: decided from the notes of the other processes, and from when frames were last seen."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge.outbox.process_report import Report

SEEN_SECONDS: Final = 60.0
"""Frames are counted every 15 seconds; a device that counts none for so long sees nothing."""


class Light(StrEnum):
    """What the LED does."""

    STEADY = "steady"
    """The camera is watched, and the server has the device."""
    SLOW = "slow"
    """The server cannot be reached; captions wait."""
    FAST = "fast"
    """Nothing is seen: no camera, no picture that shows anything, or no process that looks."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown."""

    light: Light
    sounds: bool
    """Whether a danger stands now."""


@dataclass
class Watcher:
    """What was seen of the other processes so far; times are seconds on one monotonic clock."""

    frames: int = -1
    frames_at: float = 0.0

    def look(self, looked: Report, sent: Report, now: float) -> Shown:
        """Decide what to show by the notes of `look` and `send`."""
        if looked.frames != self.frames:
            self.frames, self.frames_at = looked.frames, now
        is_blind = bool(looked.reason or looked.conditions) or now - self.frames_at >= SEEN_SECONDS
        light = Light.FAST if is_blind else Light.SLOW if sent.reason else Light.STEADY
        return Shown(light, sounds=bool(looked.dangers) and not is_blind)
