"""Pace: waiting so that a camera is looked at so many times a second."""

import time
from collections.abc import Callable

Sleep = Callable[[float], object]


class Pace:
    """Beats at a fixed period; one that was missed is skipped, not made up for."""

    def __init__(
        self,
        period_seconds: float,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        stretch: Callable[[], float] = lambda: 1.0,
    ) -> None:
        """`stretch` says by what the period is multiplied at this moment."""
        self._period, self._stretch = period_seconds, stretch
        self._sleep = sleep
        self._clock = clock
        self._next = clock()

    def period_seconds(self) -> float:
        """Return the time between two beats at this moment."""
        return self._period * self._stretch()

    def wait(self) -> None:
        """Sleep until the next beat; returns at once where it is past."""
        now = self._clock()
        beat = max(now, self._next)
        if beat > now:
            self._sleep(beat - now)
        self._next = beat + self.period_seconds()
