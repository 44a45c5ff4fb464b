"""The clock that nobody sets: seconds since the machine started, suspended time included; all processes share it."""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""Linux's name for this run of the machine (random(4)); another one after every start."""

UNKNOWN: Final = ""
"""Name of a run where the system gives none."""


@dataclass(frozen=True, slots=True)
class Uptime:
    """A moment of one run of the machine."""

    boot: str
    """Which run; `UNKNOWN` where nothing tells."""
    seconds: float
    """Since it started."""

    def since(self, earlier: "Uptime") -> float | None:
        """Return the seconds since an earlier moment; None where that is unknown, as after a restart."""
        if UNKNOWN in (self.boot, earlier.boot) or self.boot != earlier.boot or self.seconds < earlier.seconds:
            return None
        return self.seconds - earlier.seconds


def now() -> Uptime:
    """Return this moment."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Uptime(_boot(), time.clock_gettime(clock))


@cache
def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()[:64]
    except (OSError, UnicodeDecodeError):
        return UNKNOWN
