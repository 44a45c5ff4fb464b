"""The heartbeat of a thread, by which the monitor sees that it hangs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ThreadHeartbeat:
    """The heartbeat of one thread; it counts from construction, so that the thread has time to start."""

    limit_seconds: float
    """A thread without a heartbeat for so long is stuck."""
    clock: Callable[[], float] = time.monotonic
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def beat(self) -> None:
        """Record progress; called by the thread."""
        self._last = self.clock()

    @property
    def age_seconds(self) -> float:
        """Seconds since the last heartbeat."""
        return self.clock() - self._last

    @property
    def is_stuck(self) -> bool:
        """Whether the last heartbeat is too long ago."""
        return self.age_seconds > self.limit_seconds
