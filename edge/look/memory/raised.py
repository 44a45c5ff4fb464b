"""Thresholds raised by people: what they called a false alarm, until a date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contract.thresholds import Raised
from edge.look.memory import reading

MARGIN: Final = 0.5
"""Log-odds that the threshold keeps above the evidence of the false alarm."""

MAX_RISE: Final = 3.0
"""Log-odds by which people can raise a threshold above the bundle's: from 0.5 to 0.95. A danger that shows more clearly
than that is never silenced from afar."""


@dataclass(frozen=True, slots=True)
class RaisedThresholds:
    """Those of one camera."""

    entries: tuple[Raised, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Raised], stream: str) -> "RaisedThresholds":
        """Keep those of a stream."""
        return cls(tuple(entry for entry in entries if entry.stream == stream))

    def shift(self, danger: str, threshold: float, now: datetime) -> float:
        """Return the log-odds by which a danger's threshold is raised above the bundle's, 0 where it is not."""
        rises = (
            reading.log_odds(entry.evidence) - reading.log_odds(threshold) + MARGIN
            for entry in self.entries
            if entry.danger == danger and entry.until > now
        )
        return min(MAX_RISE, max(0.0, max(rises, default=0.0)))
