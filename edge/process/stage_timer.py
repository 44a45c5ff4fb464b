"""How long each stage of the work takes, over the last few hundred times."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from contract.status import Stage

WINDOW: Final = 512
"""Times remembered for each stage: at a caption a second, the last eight minutes."""

STAGES: Final = ("wait", "gate", "flow", "encode", "detect", "weigh", "closer", "decode", "store", "ack")
"""Every stage in the order of the work; `wait` is for the next frame, with its decoding, `flow` for the
movement of people in view since the frame before, and `ack` from publishing to the server's acknowledgement."""


class Latency:
    """Durations by stage."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds: dict[str, deque[float]] = {}

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Time a block as one run of a stage; a block that raises is not counted."""
        begin = self._clock()
        yield
        self.add(stage, self._clock() - begin)

    def add(self, stage: str, seconds: float) -> None:
        """Count one run of a stage."""
        self._seconds.setdefault(stage, deque(maxlen=WINDOW)).append(seconds)

    def stages(self) -> tuple[Stage, ...]:
        """Return median and 95th percentile of each stage that has run, in the order of the work."""
        return tuple(_describe(stage, self._seconds[stage]) for stage in STAGES if stage in self._seconds)


def _describe(name: str, seconds: deque[float]) -> Stage:
    """Nearest-rank percentiles, rounded to a hundredth of a millisecond."""
    ordered = sorted(seconds)
    median, high = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95))
    return Stage(name, round(median * 1000, 2), round(high * 1000, 2))
