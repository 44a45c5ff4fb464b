"""The memory of one camera: which dangers stand, which are in doubt, and from which evidence on they count here."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from edge.look.crops import Region
from edge.look.memory import cusum, reading
from edge.look.memory.calm import Calm
from edge.look.memory.cusum import Sum
from edge.look.memory.raised import RaisedThresholds
from edge.look.memory.reading import Reading

NEAR: Final = 0.5
"""Log-odds below its threshold from which evidence is too near to a danger to be learnt as calm."""

NEAR_SUM: Final = cusum.LIMIT / 2
"""Sum from which a danger is too near for anything to be learnt as calm."""

DOUBT: Final = 0.25
"""Sum from which a danger is in doubt, so that it is worth looking again soon."""

QUARANTINE_SECONDS: Final = 300.0
"""Time before and after a danger from which nothing is learnt."""

LONGEST_LOOK_SECONDS: Final = 60.0
"""Longest time that a frame stands for when calm is learnt: a still scene is looked at once a minute."""


class Change(StrEnum):
    """What a frame changed."""

    BEGAN = "began"
    """A danger began to stand."""
    ENDED = "ended"
    """A danger came to its end."""
    NONE = "none"
    """Nothing."""


class Attention(StrEnum):
    """How soon the next look is worth it."""

    CALM = "calm"
    """As the gate thinks fit."""
    DOUBT = "doubt"
    """Soon: a danger may be about to begin."""
    ONGOING = "ongoing"
    """Now and then: a danger is going on, and may end."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one danger after a frame."""

    danger: str
    probability: float
    """That it is there, by all frames; at least 0.5 exactly while it stands."""
    evidence: float
    """What this frame alone gives it, 0 to 1, as the bundle's `evidence` counts."""
    since: float | None
    """Since when it stands, in seconds on the camera's clock; None while it does not."""
    region: Region | None
    """Part of the frame with the clearest evidence; None for the whole frame."""


@dataclass(frozen=True, slots=True)
class _Calm:
    """A stretch of time that may turn out to have been calm."""

    at: float
    seconds: float
    excess: Mapping[str, float]
    calm: Calm
    """Where it is to be learnt."""


class DangerMemory:
    """Evidence of every danger at one camera, from frame to frame. Times are seconds on the camera's clock."""

    def __init__(self, thresholds: Mapping[str, float], calm: Calm) -> None:
        """`thresholds` are the bundle's least evidence of each danger that it weighs, 0 to 1."""
        self.calm = calm
        self.raised = RaisedThresholds()
        self._thresholds = thresholds
        self._sums: dict[str, Sum] = dict.fromkeys(thresholds, cusum.NOTHING)
        self._readings: Mapping[str, Reading] = {}
        self._began: frozenset[str] = frozenset()
        self._at: float | None = None
        self._quiet_from = -math.inf
        self._last: _Calm | None = None
        self._pending: deque[_Calm] = deque()

    @property
    def ongoing(self) -> frozenset[str]:
        """The dangers that have begun and not ended."""
        return frozenset(danger for danger, known in self._sums.items() if known.since is not None)

    @property
    def attention(self) -> Attention:
        """How soon to look again."""
        ongoing = self.ongoing
        if any(known.value > DOUBT for danger, known in self._sums.items() if danger not in ongoing):
            return Attention.DOUBT
        return Attention.ONGOING if ongoing else Attention.CALM

    def use(self, calm: Calm, *, since: float) -> None:
        """Go on with another light's calm.

        What was seen before `since` and is not learnt yet goes to the one in whose light it was seen, and what was seen
        between the two to none.
        """
        self.calm = calm
        self._pending = deque(known for known in self._pending if known.at < since)
        self._last = None

    def begin_anew(self, calm: Calm) -> None:
        """Go on with another calm; what is not learnt yet goes with the old one."""
        self.calm = calm
        self._last = None
        self._pending.clear()

    def look(self, readings: Mapping[str, Reading], at: float, now: datetime) -> Change:
        """Add what a frame shows of each danger; `now` is the wall clock, for thresholds that end on a date."""
        before = self.ongoing
        seconds = cusum.FIRST_SECONDS if self._at is None else at - self._at
        self._learn(at)
        excess = {danger: found.excess - self.shift(danger, now) for danger, found in readings.items()}
        for danger, found in excess.items():
            self._sums[danger] = cusum.add(self._sums[danger], found, seconds, at)
        self._at, self._readings = at, readings
        self._note(at, excess)
        self._began, ended = self.ongoing - before, before - self.ongoing
        return Change.BEGAN if self._began else Change.ENDED if ended else Change.NONE

    def beliefs(self) -> tuple[Belief, ...]:
        """Return what is believed of each danger after the last frame, the most probable first."""
        found = [self._belief(danger, seen) for danger, seen in self._readings.items()]
        return tuple(sorted(found, key=lambda belief: (-belief.probability, -belief.evidence, belief.danger)))

    def begun(self) -> Belief | None:
        """Return the danger that began with the last frame, the most probable of several; None where none did."""
        return next((belief for belief in self.beliefs() if belief.danger in self._began), None)

    def shift(self, danger: str, now: datetime) -> float:
        """Return the log-odds by which a danger's threshold lies above the bundle's."""
        by_people = self.raised.shift(danger, self._thresholds[danger], now)
        return max(self.calm.shift(danger), by_people) if by_people > 0 else self.calm.shift(danger)

    def threshold(self, danger: str, now: datetime) -> float:
        """Return the evidence from which a danger counts at this camera, 0 to 1."""
        return reading.probability(reading.log_odds(self._thresholds[danger]) + self.shift(danger, now))

    def calm_evidence(self, danger: str) -> float:
        """Return the evidence that this camera's calm seldom exceeds, 0 to 1; 0 before anything was learnt."""
        found = self.calm.quantile(danger)
        return 0.0 if found is None else reading.probability(reading.log_odds(self._thresholds[danger]) + found)

    def _belief(self, danger: str, seen: Reading) -> Belief:
        known = self._sums[danger]
        evidence = reading.probability(reading.log_odds(self._thresholds[danger]) + seen.excess)
        return Belief(danger, known.probability, evidence, known.since, seen.region)

    def _learn(self, at: float) -> None:
        """Learn the calm that lies long enough behind without a danger having followed."""
        last, self._last = self._last, None
        if last is not None:
            seconds = min(LONGEST_LOOK_SECONDS, max(0.0, at - last.at))
            self._pending.append(_Calm(last.at, seconds, last.excess, last.calm))
        while self._pending and not 0 <= at - self._pending[0].at < QUARANTINE_SECONDS:
            found = self._pending.popleft()
            found.calm.learn(found.excess, found.seconds)

    def _note(self, at: float, excess: Mapping[str, float]) -> None:
        """Remember a frame as calm for now; a danger forgets all that is not learnt yet."""
        if self.ongoing:
            self._pending.clear()
            self._quiet_from = at + QUARANTINE_SECONDS
            return
        if at < self._quiet_from - QUARANTINE_SECONDS:  # the clock was set back
            self._quiet_from = at + QUARANTINE_SECONDS
        near = any(found > -NEAR or self._sums[danger].value > NEAR_SUM for danger, found in excess.items())
        if at >= self._quiet_from and not near:
            raw = {danger: found.excess for danger, found in self._readings.items()}
            self._last = _Calm(at, 0.0, raw, self.calm)
