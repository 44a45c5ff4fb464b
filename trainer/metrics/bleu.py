"""BLEU (Papineni et al. 2002), by coco-caption's conventions, and the seed's weighing of it."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from trainer.metrics.grams import MAX_ORDER, Gram, References, Tokens, check_pairs, grams

UNIGRAM_TO_TRIGRAM: Final = (1 / 3, 1 / 3, 1 / 3)
"""The weights by which the system that wordcam grew out of was measured: 1- to 3-grams alike."""


def bleu(candidates: Sequence[Tokens], references: Sequence[References]) -> tuple[float, float, float, float]:
    """Return corpus BLEU-1 to BLEU-4 (Papineni et al. 2002) with the closest reference length.

    Raises `ValueError` where the two differ in length, or an image has no reference.
    """
    precisions, brevity = _precisions(candidates, references)
    means = (sum(logs) / len(logs) for logs in _prefixes([_log(share) for share in precisions]))
    one, two, three, four = (brevity * math.exp(mean) for mean in means)
    return one, two, three, four


def weighted_bleu(
    candidates: Sequence[Tokens], references: Sequence[References], weights: Sequence[float] = UNIGRAM_TO_TRIGRAM
) -> float:
    """Return corpus BLEU whose geometric mean weighs the n-grams from 1 up to four by `weights`."""
    precisions, brevity = _precisions(candidates, references)
    return brevity * math.exp(sum(w * _log(p) for w, p in zip(weights, precisions, strict=False) if w))


def _precisions(candidates: Sequence[Tokens], references: Sequence[References]) -> tuple[list[float], float]:
    """Clipped n-gram precision of each order over the corpus, and the brevity penalty."""
    check_pairs(candidates, references)
    matched, tried = [0] * MAX_ORDER, [0] * MAX_ORDER
    said = meant = 0
    for candidate, refs in zip(candidates, references, strict=True):
        said += len(candidate)
        meant += min((abs(len(ref) - len(candidate)), len(ref)) for ref in refs)[1]
        for order in range(1, MAX_ORDER + 1):
            tried[order - 1] += max(0, len(candidate) - order + 1)
            matched[order - 1] += _matches(candidate, refs, order)
    brevity = 1.0 if said >= meant else math.exp(1 - meant / said) if said else 0.0
    return [hits / tries if tries else 0.0 for hits, tries in zip(matched, tried, strict=True)], brevity


def _matches(candidate: Tokens, references: References, order: int) -> int:
    """Count n-grams of the candidate, each at most as often as the reference that has it most often."""
    ours = Counter(grams(candidate, order))
    limit = Counter[Gram]()
    for reference in references:
        limit |= Counter(gram for gram in grams(reference, order) if gram in ours)
    return (ours & limit).total()


def _prefixes(logs: list[float]) -> Iterator[list[float]]:
    return accumulate(([log] for log in logs), lambda before, log: before + log)


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf
