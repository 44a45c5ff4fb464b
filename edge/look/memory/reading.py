"""One source's evidence of one danger in one frame, in log-odds above that source's threshold.

Counted from its own threshold, the evidence of any source (the whole frame, a crop, several frames in a row) can be
compared with any other's: 0 is where the source alone would call it a danger.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from edge.look.crops import Region

MOST: Final = 9.25
"""Log-odds beyond which evidence counts no further: a sigmoid's eight bits end near 0.9999."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source says of one danger."""

    excess: float
    """Log-odds above the threshold, -18.5 to 18.5."""
    region: Region | None = None
    """Part of the frame that was looked at; None for the whole frame."""


def read(evidence: float, threshold: float, region: Region | None = None) -> Reading:
    """Take a source's probability and its threshold, both 0 to 1."""
    return Reading(log_odds(evidence) - log_odds(threshold), region)


def strongest(sources: Iterable[Mapping[str, Reading]]) -> dict[str, Reading]:
    """Keep each danger's clearest reading; of equals the first."""
    best: dict[str, Reading] = {}
    for source in sources:
        for danger, reading in source.items():
            if danger not in best or reading.excess > best[danger].excess:
                best[danger] = reading
    return best


def log_odds(probability: float) -> float:
    """Return the logarithm of the odds, at most `MOST` away from 0."""
    if probability <= 0 or probability >= 1:
        return math.copysign(MOST, probability - 0.5)
    return min(MOST, max(-MOST, math.log(probability / (1 - probability))))


def probability(odds: float) -> float:
    """Turn log-odds into a probability."""
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))
