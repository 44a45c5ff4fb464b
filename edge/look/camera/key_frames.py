"""Decides whether the key frames of a stream are enough: each can be decoded alone, all others need those before them.

A camera sends a key frame every second or so: where it is looked at no more often, one frame of 25 is decoded.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

INTERVALS: Final = 4
"""Times between key frames that are remembered."""

LEAST_INTERVALS: Final = 2
"""Of them before they are believed."""

SLACK: Final = 1.1
"""By so much longer than the time between two looks the one between key frames may be, since neither is exact."""

BEHIND_SECONDS: Final = 3.0
CAUGHT_UP_SECONDS: Final = 0.5
"""By so much more than at best the frames lag behind their own times: from the first on the decoder is too slow for
all of them, below the second it has caught up."""


class Decoding(StrEnum):
    """Which frames are decoded, and why."""

    ALL = "all"
    """Every frame: looks are more frequent than key frames, or nothing is known yet."""
    ENOUGH = "key frames are enough"
    """Key frames come as often as the camera is looked at."""
    CONFIGURED = "key frames as configured"
    BEHIND = "key frames to catch up"
    """This device decodes too slowly for all of them."""

    @property
    def is_of_key_frames(self) -> bool:
        """Whether key frames are decoded alone."""
        return self is not Decoding.ALL


CREEP: Final = 0.001
"""So many seconds a second the least lag is let grow: no two clocks run alike."""

JUMP_SECONDS: Final = 30.0
"""From one packet to the next; beyond, the camera has set its clock."""


@dataclass(slots=True)
class KeyFrames:
    """What is known of a stream's key frames."""

    wanted: Literal["auto", "all", "key_frames"]
    period_seconds: Callable[[], float]
    """Time between two looks at this moment."""
    clock: Callable[[], float] = time.monotonic
    decoding: Decoding = field(default=Decoding.ALL, init=False)
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=INTERVALS), init=False)
    _key_at: float | None = field(default=None, init=False)
    _before: tuple[float, float] | None = field(default=None, init=False)
    """Time of the packet before, by its stream and by the clock here."""
    _least_lag: float = field(default=0.0, init=False)
    _lag: float = field(default=0.0, init=False)

    def take(self, seconds: float | None, *, is_key: bool) -> Decoding:
        """Count a packet by its time in the stream, and return what to decode; that changes at key frames alone."""
        now = self.clock()
        at = now if seconds is None else seconds
        self._note(at, now)
        if is_key:
            if self._key_at is not None and at > self._key_at:
                self._intervals.append(at - self._key_at)
            self._key_at = at
            self.decoding = self._decide()
        return self.decoding

    def _note(self, at: float, now: float) -> None:
        """Note by how much the packet is late."""
        lag = now - at
        if self._before is None or abs(at - self._before[0]) > JUMP_SECONDS:
            self._intervals.clear()
            self._key_at, self._least_lag = None, lag
        else:
            self._least_lag = min(lag, self._least_lag + CREEP * (now - self._before[1]))
        self._before, self._lag = (at, now), lag

    def _decide(self) -> Decoding:
        if self.wanted == "all":
            return Decoding.ALL
        if self.wanted == "key_frames":
            return Decoding.CONFIGURED
        known = len(self._intervals) >= LEAST_INTERVALS
        if known and max(self._intervals) <= self.period_seconds() * SLACK:
            return Decoding.ENOUGH
        limit = CAUGHT_UP_SECONDS if self.decoding is Decoding.BEHIND else BEHIND_SECONDS
        return Decoding.BEHIND if self._lag - self._least_lag > limit else Decoding.ALL
