"""The cumulative sum: evidence of one danger integrated over frames, so that one odd frame says nothing.

Page, "Continuous inspection schemes", Biometrika 41 (1954): the sum of log-likelihood ratios of danger against calm,
never below 0, raises the alarm at a limit. The ratio is taken to be linear in the log-odds of the evidence, and cut off
on both sides, so that no single frame decides (Huber, "A robust version of the probability ratio test", 1965). It is
counted by elapsed time, not by frame, because frames shortly after one another say the same. The limit is the logarithm
of the odds against a danger before anything is seen; so the sum's distance from it is the log-odds of the danger.
"""

from dataclasses import dataclass
from typing import Final

from edge.look.memory import reading

GAIN: Final = 2.0
"""Log-likelihood ratio, a second, of one log-odd of evidence."""

LEAD: Final = 0.5
"""Log-odds below the threshold at which evidence speaks neither for danger nor for calm."""

RISE: Final = 4.0
FALL: Final = 1.0
"""Most that one second of evidence counts for danger, and for calm: flames and people are hidden for moments."""

LIMIT: Final = 5.0
"""The sum from which a danger begins: a second and a half of clear evidence, never one frame."""

END: Final = 2.0
"""The sum from which it has ended; the sum then begins anew."""

MOST: Final = 9.0
"""The largest sum: after it, seven seconds of clear calm end the danger."""

LONGEST_SECONDS: Final = 1.0
"""Time that one frame can stand for, however long nothing was looked at before it."""

FIRST_SECONDS: Final = 0.5
"""Time that the first frame stands for."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How much speaks for one danger."""

    value: float = 0.0
    """0 to `MOST`."""
    since: float | None = None
    """Since when it stands, in seconds on the camera's clock; None while it does not."""

    @property
    def probability(self) -> float:
        """Probability that the danger is there; at least 0.5 while it stands, and below as long as it does not."""
        found = reading.probability(self.value - LIMIT)
        return max(0.5, found) if self.since is not None else min(UNDECIDED, found)


UNDECIDED: Final = 0.49
"""Probability of a danger that no frame has shown clearly, however much hints at it."""

NOTHING: Final = Sum()
"""Nothing speaks for it."""


def add(known: Sum, excess: float, seconds: float, at: float) -> Sum:
    """Add a frame taken at `at` that stands for `seconds`; `excess` is its evidence in log-odds above the threshold.

    A danger begins with a frame that is itself above the threshold.
    """
    ratio = max(-FALL, min(RISE, GAIN * (excess + LEAD)))
    value = min(MOST, max(0.0, known.value + ratio * min(LONGEST_SECONDS, max(0.0, seconds))))
    if known.since is not None:
        return Sum(value, known.since) if value > END else NOTHING
    return Sum(value, at) if value >= LIMIT and excess >= 0 else Sum(value)
