"""Looks at fewer frames while the device is hot or has too much to do, before the kernel slows everything down.

A Raspberry Pi lowers its clock from 80 degrees Celsius on, and a Jetson shortly before it switches itself off: captions
then come late, all of them. A look less costs nothing that another one does not show a moment later.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge import config

log = logging.getLogger(__name__)

THERMAL: Final = Path("/sys/class/thermal")
"""Folders `thermal_zone*`, each with a file `temp` of thousandths of a degree (kernel: sysfs-api, thermal)."""

LOADAVG: Final = Path("/proc/loadavg")
"""Processes that run or wait to, averaged over a minute, in its first field (proc(5))."""

POSSIBLE_CELSIUS: Final = (-40.0, 150.0)
"""A sensor that says anything else is broken, or none."""

READ_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Burden:
    """How hot and how busy the device is; None where nothing tells."""

    celsius: float | None
    """Of its hottest sensor."""
    load_per_core: float | None


def burden(thermal: Path = THERMAL, loadavg: Path = LOADAVG, cores: int | None = os.cpu_count()) -> Burden:
    """Read the sensors and the load."""
    try:
        load = float(loadavg.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        load = None
    return Burden(max(_temperatures(thermal), default=None), None if load is None else load / (cores or 1))


def _temperatures(thermal: Path) -> Iterator[float]:
    least, most = POSSIBLE_CELSIUS
    for sensor in sorted(thermal.glob("thermal_zone*/temp")):
        try:
            celsius = int(sensor.read_text(encoding="ascii")) / 1000
        except (OSError, ValueError):
            continue
        if least <= celsius <= most:
            yield celsius


@dataclass
class Governor:
    """Decides how much longer than usual the time between two looks is."""

    settings: config.Cooling
    looks_per_second: float
    read: Callable[[], Burden] = burden
    clock: Callable[[], float] = time.monotonic
    _read_at: float = field(default=float("-inf"), init=False)
    _stretch: float = field(default=1.0, init=False)

    def stretch(self) -> float:
        """Return by what the usual time is multiplied, at least 1."""
        now = self.clock()
        if now - self._read_at >= READ_SECONDS:
            self._read_at = now
            self._set(self.read())
        return self._stretch

    def _set(self, found: Burden) -> None:
        share = strain(self.settings, found)
        least = min(self.looks_per_second, self.settings.least_looks_per_second)
        before, self._stretch = (
            self._stretch,
            self.looks_per_second / (self.looks_per_second - (self.looks_per_second - least) * share),
        )
        if (before > 1) != (self._stretch > 1):
            fields = {"celsius": found.celsius, "load_per_core": found.load_per_core and round(found.load_per_core, 2)}
            log.warning("looking slowed" if self._stretch > 1 else "looking at full rate", extra=fields)


def strain(settings: config.Cooling, found: Burden) -> float:
    """Return how hard the device is pressed: 0 where nothing is to be done, 1 at the worst."""
    return max(
        _between(found.celsius, settings.slow_celsius, settings.slowest_celsius),
        _between(found.load_per_core, settings.slow_load_per_core, settings.slowest_load_per_core),
    )


def _between(value: float | None, low: float, high: float) -> float:
    return 0.0 if value is None else min(1.0, max(0.0, (value - low) / (high - low)))
