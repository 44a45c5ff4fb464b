"""Watches films as the device does, and sums up what it said: when, what it missed, and what was never there."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

import msgspec

from bench.conditions.film import BEGINS, Film
from contract.status import Condition
from edge.look.condition.measure import measure
from edge.look.condition.watch import ConditionWatch

MIDNIGHT: Final = datetime(2026, 1, 1, tzinfo=UTC)
HOURS_A_WEEK: Final = 168.0
SURE: Final = 0.95


class Said(msgspec.Struct, frozen=True):
    """What was said of one film."""

    clip: str
    weather: str
    fault: str
    """What went wrong; "" for calm film."""
    seconds: int
    after: int | None
    """Seconds from the fault to the first condition that says it; None where none did."""
    wrong: tuple[str, ...]
    """Conditions that began and that the film does not have."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often calm film is taken for a camera's condition."""

    clips: int
    hours: float
    false: int
    a_week: float
    at_most_a_week: float
    """Upper 95 % bound, exact for a Poisson count."""


def watch(film: Film, seconds: int) -> Said:
    """Watch a film to its end."""
    watched, expected = ConditionWatch(), frozenset[Condition]() if film.spoil is None else film.spoil.expected
    after, wrong, stood = None, [], frozenset[Condition]()
    for second, picture in enumerate(film.pictures(seconds)):
        watched.look(measure(picture), float(second), MIDNIGHT + timedelta(seconds=second))
        stands = frozenset(name for name, _ in watched.active)
        for name in stands - stood:
            if second < BEGINS or name not in expected:
                wrong.append(name.value)
            elif after is None:
                after = second - BEGINS
        stood = stands
    fault = "" if film.spoil is None else film.spoil.name
    return Said(film.clip.name, film.setting.name, fault, seconds, after, tuple(wrong))


def bound(count: int, sure: float = SURE) -> float:
    """Return the largest mean of a Poisson count that still leaves so few a chance of 1 - `sure` (exact, one-sided)."""
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(100):
        mean = (low + high) / 2
        chance = math.fsum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(count + 1))
        low, high = (mean, high) if chance > 1 - sure else (low, mean)
    return high


def rate(calm: Sequence[Said]) -> Rate:
    """Return how often calm film was taken for something else."""
    hours = math.fsum(one.seconds for one in calm) / 3600
    false = sum(len(one.wrong) for one in calm)
    week = HOURS_A_WEEK / hours if hours else math.inf
    return Rate(len({one.clip for one in calm}), hours, false, false * week, bound(false) * week)


def when(said: Sequence[Said]) -> str:
    """Say of films with one fault how many were named, and the median of the seconds that it took."""
    named = [one.after for one in said if one.after is not None]
    return f"{len(named)}/{len(said)}" + (f" {median(named):.0f} s" if named else "")


def wrongly(said: Iterable[Said]) -> str:
    """Say what was named that was not there, and how often."""
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(n for o in said for n in o.wrong).items()))
