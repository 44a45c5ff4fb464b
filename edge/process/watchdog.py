"""Has the kernel end a process that makes no progress, so that what started it starts it again.

A timer of the kernel (setitimer(2)) is wound up at each sign of progress; where it runs down, SIGALRM ends the process,
also one that hangs inside a library. It needs no socket, no file and no other process, so that it works in every
sandbox and under everything that starts processes.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

SPARING_SECONDS: Final = 1.0
"""The timer is wound up at most so often."""

SLICE_SECONDS: Final = 5.0
"""A longer wait is cut into such parts: to wait for its time is not to hang."""

BEGIN_FACTOR: Final = 5
"""Loading models and opening a camera may take so many times as long as any later step."""

ENDED_BY: Final = signal.SIGALRM

Wait = Callable[[float], bool]
"""Waits for so many seconds, and says whether it was ended before."""


def wind_up(seconds: float) -> None:
    """Have the kernel end this process after so many seconds, in place of what was set before."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


@dataclass
class Watchdog:
    """The timer of this process."""

    limit_seconds: float
    """Without progress for so long the process hangs."""
    on_progress: Callable[[], None]
    """Called as often as the timer is wound up."""
    wind_up: Callable[[float], None] = wind_up
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"), init=False)

    def begin(self) -> None:
        """Allow the process the longer time that its start needs."""
        self.wind_up(self.limit_seconds * BEGIN_FACTOR)

    def progress(self) -> None:
        """Take a sign of progress; costs next to nothing."""
        now = self.clock()
        if now - self._last >= min(SPARING_SECONDS, self.limit_seconds / 4):
            self._last = now
            self.wind_up(self.limit_seconds)
            self.on_progress()

    def end(self) -> None:
        """Let the process take whatever time it needs from now on."""
        self.wind_up(0)

    def waiting(self, wait: Wait) -> Wait:
        """Return a wait during which the process does not count as one that hangs, however long it is."""

        def fed(seconds: float) -> bool:
            until = self.clock() + seconds
            self.progress()
            while (left := until - self.clock()) > SLICE_SECONDS:
                if wait(SLICE_SECONDS):
                    return True
                self.progress()
            return wait(max(0.0, left))

        return fed
