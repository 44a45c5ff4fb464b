"""How long to wait before a message is tried again."""

from datetime import timedelta

MAX_DOUBLINGS = 30
"""2**30 seconds are 34 years: beyond any limit, and far from overflow."""


def wait(attempts: int, *, first: timedelta, longest: timedelta, jitter: float) -> timedelta:
    """Return the wait after a number of failed attempts: doubled each time up to `longest`, of which `jitter`
    (0 to 1) keeps half to all, so that many messages that failed together do not come back together.
    """
    full = min(first * 2 ** min(attempts - 1, MAX_DOUBLINGS), longest) if attempts > 0 else first
    return full * (0.5 + jitter / 2)
