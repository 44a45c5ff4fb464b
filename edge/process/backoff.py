"""How long to wait before trying again."""

from typing import Final

MAX_DOUBLINGS: Final = 30
"""Beyond, any first wait has reached any sensible maximum; it keeps the power of two small."""


def delay(attempt: int, *, first: float, maximum: float, chance: float) -> float:
    """Return the seconds before attempt number `attempt` (from 0) is repeated.

    Doubles from `first` to `maximum`, less up to half by `chance` (0 to 1), so that a thousand devices that lost the
    same server do not come back at the same moment ("equal jitter": AWS Architecture Blog, March 2015).
    """
    return min(maximum, first * 2.0 ** min(attempt, MAX_DOUBLINGS)) * (1 - chance / 2)
