"""Decides whether a danger was seen often enough for a notification: "in 3 of 5 captions within 10 s"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from broker.rules.reasons import SeenTooRarely


@dataclass(frozen=True, slots=True)
class Need:
    """How often a camera must have seen a danger."""

    times: int
    of: int
    within: timedelta

    def missing(self, before: Sequence[bool]) -> SeenTooRarely | None:
        """Return why a sighting does not count yet; None where it does.

        `before` says of the camera's captions before this one, newest first and all within the time, which saw it too.
        """
        seen = 1 + sum(before[: self.of - 1])
        if seen >= self.times:
            return None
        return SeenTooRarely(seen, self.of, self.within.total_seconds(), self.times)


ONCE = Need(1, 1, timedelta(seconds=1))
"""A danger of which one sighting is enough."""
