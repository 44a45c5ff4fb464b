"""Shares of few pictures, and how much larger they may be in truth."""

import math
from typing import Final

CONFIDENCE: Final = 0.95
"""One-sided: of a hundred such bounds, five are too low."""

STEPS: Final = 60
"""Halvings of the interval, which end below any rounding."""


def upper_bound(found: int, of: int) -> float:
    """Return the largest share at which so few would be found in one case of twenty (Clopper and Pearson 1934)."""
    if found >= of:
        return 1.0
    low, high = found / of, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(found, of, middle) > 1 - CONFIDENCE else (low, middle)
    return high


def _at_most(found: int, of: int, share: float) -> float:
    """Return the probability of at most so many of independent cases."""
    if share <= 0:
        return 1.0
    return math.fsum(
        math.exp(
            math.lgamma(of + 1)
            - math.lgamma(one + 1)
            - math.lgamma(of - one + 1)
            + one * math.log(share)
            + (of - one) * math.log1p(-share)
        )
        for one in range(found + 1)
    )
