"""Budget: how the cameras of a device share the processor, so that the busiest one is looked at most.

Each camera's process says in a slot of one small file how much it has to look at, and gets that share of the cores. It
spends the processor time that its looks take out of what its share has brought since; times are seconds on
CLOCK_MONOTONIC, which every process of the machine has in common.
"""

import math
import mmap
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from foundation.errors import from_os_error

MAX_CAMERAS: Final = 16
_SLOT: Final = struct.Struct("<dd")
"""When it was written, and the weight of its camera."""

FRESH_SECONDS: Final = 5.0
"""A slot that was not written for so long is of a camera that nobody watches."""

MEMORY_SECONDS: Final = 10.0
"""Time over which it is averaged how often there was something to look at."""

LEAST_WEIGHT: Final = 0.05
"""Of a camera that sees nothing move: of four, one busy and three quiet, the busy one has seven eighths."""

DANGER_WEIGHT: Final = 2.0
"""Added while a danger is in doubt or goes on."""

BURST_SECONDS: Final = 2.0
"""A share is saved up for so long at most."""


class Slots:
    """The file that the processes share."""

    def __init__(self, path: Path, own: int) -> None:
        """Open or make the file; `own` is this camera's number. Raises `TryAgain` or `Misconfigured`."""
        size = MAX_CAMERAS * _SLOT.size
        try:
            path.touch(mode=0o660)
            with path.open("r+b") as file:
                file.truncate(size)
                self._memory = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise from_os_error(error, str(path)) from error
        self._own = own

    def close(self) -> None:
        """Let the file go, and the share with it."""
        _SLOT.pack_into(self._memory, self._own * _SLOT.size, -math.inf, 0.0)
        self._memory.close()

    def write(self, now: float, weight: float) -> None:
        """Say how much there is to look at."""
        _SLOT.pack_into(self._memory, self._own * _SLOT.size, now, weight)

    def weights(self, now: float) -> list[float]:
        """Return the weights of all cameras that are watched; one that was half written counts as it is read."""
        slots: Iterable[tuple[float, float]] = _SLOT.iter_unpack(self._memory[:])
        return [weight for at, weight in slots if 0 <= now - at < FRESH_SECONDS and 0 < weight < math.inf]


@dataclass(slots=True)
class Budget:
    """One camera's share."""

    cores: float
    """What all cameras together may use."""
    slots: Slots
    clock: Callable[[], float]
    """Seconds on CLOCK_MONOTONIC."""
    saved_seconds: float = 0.0
    """Processor time that may be spent; below 0 after a look that took more."""
    activity: float = 0.0
    """How often there lately was something to look at, 0 to 1."""
    _at: float | None = field(default=None)

    def may_look(self, *, wanted: bool, is_danger: bool) -> bool:
        """Say whether the share allows a look; `wanted` says whether the frame is worth one at all."""
        now = self.clock()
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self.activity += (float(wanted) - self.activity) * (1 - math.exp(-passed / MEMORY_SECONDS))
        weight = max(LEAST_WEIGHT, self.activity) + (DANGER_WEIGHT if is_danger else 0.0)
        self.slots.write(now, weight)
        share = self.cores * weight / max(weight, sum(self.slots.weights(now)))
        self.saved_seconds = min(self.saved_seconds + share * passed, share * BURST_SECONDS)
        return self.saved_seconds >= 0

    def spend(self, seconds: float) -> None:
        """Take the processor time of a look."""
        self.saved_seconds -= seconds
