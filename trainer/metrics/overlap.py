"""How many words two sentences share, whatever their order."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from trainer.metrics.grams import References, Tokens, check_pairs


def jaccard(candidate: Tokens, reference: Tokens) -> float:
    """Return the share of distinct words that two sentences have in common (Jaccard 1901); two empty ones are equal."""
    ours, theirs = set(candidate), set(reference)
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


def cosine(candidate: Tokens, reference: Tokens) -> float:
    """Return the cosine between the word counts of two sentences; 0 where one is empty."""
    ours, theirs = Counter(candidate), Counter(reference)
    norms = math.sqrt(sum(n * n for n in ours.values()) * sum(n * n for n in theirs.values()))
    return sum(count * theirs[word] for word, count in ours.items()) / norms if norms else 0.0


def mean(
    likeness: Callable[[Tokens, Tokens], float], candidates: Sequence[Tokens], references: Sequence[References]
) -> float:
    """Return the mean likeness over images, for each the mean over its references; 0 for no image.

    Raises `ValueError` where the two differ in length, or an image has no reference.
    """
    check_pairs(candidates, references)
    scores = [
        math.fsum(likeness(candidate, reference) for reference in refs) / len(refs)
        for candidate, refs in zip(candidates, references, strict=True)
    ]
    return math.fsum(scores) / len(scores) if scores else 0.0
