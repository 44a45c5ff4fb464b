"""The pulse of a thread: a sign, now and then, that it still turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ThreadHeartbeat:
    """One thread's. It beats from the start, so that a thread has time to begin."""

    limit_seconds: float
    """A thread that has not beaten for so long is stuck."""
    clock: Callable[[], float] = time.monotonic
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def beat(self) -> None:
        """Say that the thread turns."""
        self._last = self.clock()

    @property
    def age_seconds(self) -> float:
        """How long ago it last did."""
        return self.clock() - self._last

    @property
    def is_stuck(self) -> bool:
        """Whether that is too long."""
        return self.age_seconds > self.limit_seconds
