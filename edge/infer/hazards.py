"""Dangers that the beam speaks of, weighed by the probability of the sentences that do."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WORTH_TELLING: Final = 0.02
"""Least probability of a danger that is reported: below it, every picture would name every danger."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One danger with the share of the captioner's belief that names it."""

    term: str
    """The danger, as the bundle's manifest calls it."""
    probability: float
    """0 to 1."""


def weigh(
    sentences: Sequence[Sequence[str]], totals: Sequence[float], words_of: Mapping[str, Sequence[str]]
) -> tuple[Hazard, ...]:
    """Return the probability mass of the sentences that name each danger, most probable first.

    `totals` are the sentences' log-probabilities; their softmax is the mass, so that it sums to 1 over the beam.
    `words_of` holds the expressions of each danger, words joined by a space. A danger nobody names is left out.
    """
    if not sentences:
        return ()
    masses = _softmax(totals)
    spoken = [f" {' '.join(words)} " for words in sentences]
    found = []
    for term, expressions in words_of.items():
        named = (mass for mass, text in zip(masses, spoken, strict=True) if any(f" {e} " in text for e in expressions))
        probability = min(1.0, math.fsum(named))
        if probability > 0:
            found.append(Hazard(term, probability))
    return tuple(sorted(found, key=lambda hazard: (-hazard.probability, hazard.term)))


def read(evidence: Mapping[str, float]) -> tuple[Hazard, ...]:
    """Return the dangers that the model's evidence speaks for, most probable first.

    What is improbable by far is left out.
    """
    found = [Hazard(term, p) for term, p in evidence.items() if p >= WORTH_TELLING]
    return tuple(sorted(found, key=lambda hazard: (-hazard.probability, hazard.term)))


def unspeakable(
    evidence: Mapping[str, float],
    limits: Mapping[str, float],
    words_of: Mapping[str, Sequence[str]],
    ids: Mapping[str, int],
) -> list[tuple[int, ...]]:
    """Return the expressions, as token ids, of every danger whose evidence stays below its limit, or that has none."""
    silent = [term for term, p in evidence.items() if p < limits.get(term, math.inf)]
    expressions = [expression.split() for term in silent for expression in words_of[term]]
    return [tuple(ids[word] for word in words) for words in expressions if all(word in ids for word in words)]


def _softmax(totals: Sequence[float]) -> list[float]:
    top = max(totals)
    weights = [math.exp(total - top) for total in totals]
    return [weight / sum(weights) for weight in weights]
