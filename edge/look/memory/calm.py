"""A camera's own calm: how much evidence of each danger it sees while nothing happens.

Each danger has a histogram of evidence over calm time, in bins of equal width in log-odds: a quantile sketch whose
error is one bin wherever the quantile lies (Masson, Rim and Lee, "DDSketch", VLDB 2019, in odds in place of values).
Old time fades exponentially. The threshold follows a high quantile of it, slowly and within bounds.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from edge.look.memory.light import Light

BIN: Final = 0.25
"""Width of a bin in log-odds: evidence of 0.5 and of 0.56 are one bin apart."""

KNOWN_SECONDS: Final = 72_000.0
"""Calm time after which a camera's calm is known: most of its first day."""

MEMORY_SECONDS: Final = 1_209_600.0
"""Calm time that the histogram stands for: two weeks; what is older fades."""

QUANTILE: Final = 0.9995
"""Share of calm time below the threshold where the bundle names none: 43 seconds a day are above it. An alarm takes two
such seconds in a row and a further log-odd (`MARGIN`), so that this is meant for at most one false alarm a day."""

MARGIN: Final = 1.0
"""Log-odds that the threshold keeps above the quantile."""

MAX_RISE: Final = 2.0
"""Log-odds by which calm can raise a threshold above the bundle's: from 0.5 to 0.88."""

LEAST_SECONDS: Final = 1e-6
"""A bin that has faded below this is left out."""

STEP_PER_SECOND: Final = 1.0 / 86_400
"""Fastest change of a threshold: one log-odd in a day of calm time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far one danger's threshold may move, in log-odds from the bundle's."""

    lowest: float = 0.0
    """At most 0; reached only where calm is known."""
    quantile: float = QUANTILE
    """Share of calm time that must lie below the threshold."""


@dataclass(slots=True)
class Calm:
    """What one camera has learnt; the caller says when it is calm; there is no clock here."""

    bounds: Mapping[str, Bounds]
    """Of each danger that the bundle weighs."""
    seconds: float = 0.0
    """Calm time learnt from, in all."""
    histograms: dict[str, dict[int, float]] = field(default_factory=dict)
    """Seconds by bin, of each danger."""
    shifts: dict[str, float] = field(default_factory=dict)
    """Where each threshold is now, in log-odds from the bundle's."""

    @property
    def known(self) -> bool:
        """Whether enough was learnt to lower a threshold."""
        return self.seconds >= KNOWN_SECONDS

    def shift(self, danger: str) -> float:
        """Return the log-odds by which a danger's threshold lies above the bundle's."""
        return self.shifts.get(danger, 0.0)

    def learn(self, excess: Mapping[str, float], seconds: float) -> None:
        """Take calm time into account in which each danger's evidence was so much, and let the thresholds follow."""
        if not 0 < seconds < math.inf:
            return
        self.seconds += seconds
        for danger, found in excess.items():
            if danger in self.bounds:
                self._count(danger, found, seconds)
                self._follow(danger, STEP_PER_SECOND * seconds)

    def settle(self) -> None:
        """Move every threshold to where it would come to lie: for calm that people vouch for."""
        for danger in self.bounds:
            self._follow(danger, math.inf)

    def quantile(self, danger: str) -> float | None:
        """Return the evidence that calm seldom exceeds, in log-odds above the bundle's threshold; None before any."""
        histogram = self.histograms.get(danger)
        if not histogram:
            return None
        beyond = (1 - self.bounds[danger].quantile) * math.fsum(histogram.values())
        for number, seconds in sorted(histogram.items(), reverse=True):
            beyond -= seconds
            if beyond < 0:
                return (number + 1) * BIN
        return min(histogram) * BIN

    def target(self, danger: str) -> float:
        """Return where a threshold should lie, in log-odds from the bundle's."""
        lowest = self.bounds[danger].lowest if self.known else 0.0
        calm = self.quantile(danger)
        return lowest if calm is None else min(MAX_RISE, max(lowest, calm + MARGIN))

    def _count(self, danger: str, found: float, seconds: float) -> None:
        histogram = self.histograms.setdefault(danger, {})
        number = math.floor(found / BIN)
        histogram[number] = histogram.get(number, 0.0) + seconds
        total = math.fsum(histogram.values())
        if total > MEMORY_SECONDS:
            self.histograms[danger] = dict(_faded(histogram, MEMORY_SECONDS / total))

    def _follow(self, danger: str, step: float) -> None:
        now = self.shift(danger)
        self.shifts[danger] = now + max(-step, min(step, self.target(danger) - now))


@dataclass(frozen=True, slots=True)
class CalmByLight:
    """A camera's calm by day, and by night and infrared light: neither is forgotten while the other is learnt."""

    day: Calm
    night: Calm

    @classmethod
    def unknown(cls, bounds: Mapping[str, Bounds]) -> Self:
        """Return the calm of a camera that has learnt nothing."""
        return cls(Calm(bounds), Calm(bounds))

    def of(self, light: Light) -> Calm:
        """Return the calm of one light."""
        return self.day if light is Light.DAY else self.night


def _faded(histogram: Mapping[int, float], share: float) -> Iterator[tuple[int, float]]:
    return ((number, seconds * share) for number, seconds in histogram.items() if seconds * share > LEAST_SECONDS)
