"""Pace: waiting so that a camera is looked at so many times a second."""

import time
from collections.abc import Callable

Sleep = Callable[[float], object]


class Pace:
    """Beats at a fixed period; one that was missed is skipped, not made up for."""

    def __init__(
        self, period_seconds: float, sleep: Sleep = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._period = period_seconds
        self._sleep = sleep
        self._clock = clock
        self._next = clock()

    def wait(self) -> None:
        """Sleep until the next beat; returns at once where it is past."""
        now = self._clock()
        beat = max(now, self._next)
        if beat > now:
            self._sleep(beat - now)
        self._next = beat + self._period
