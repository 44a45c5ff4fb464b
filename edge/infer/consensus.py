"""Consensus: of the beam's sentences, the one that most of the belief agrees with.

The most probable sentence is often an odd one out: short, or with a detail that no other hypothesis has. Minimum Bayes
risk decoding (Kumar and Byrne 2004, HLT-NAACL) takes the sentence that is most like all the others instead, each
weighed by its probability. Alike here means sharing n-grams, clipped and cut off by length as CIDEr-D does (Vedantam et
al. 2015, equation 5), but without its word weights, which would have to be shipped and win nothing.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 3
"""Words of the longest n-grams; four are too rarely shared within a beam to tell anything."""

LENGTH_SIGMA: Final = 6.0
"""Words by which two lengths may differ before they count as unlike; CIDEr-D's."""

Grams = tuple[tuple[Counter[tuple[int, ...]], float], ...]
"""For each n: how often each n-gram occurs, and the Euclidean norm of these counts."""


def agreement(sentences: Sequence[Sequence[int]], totals: Sequence[float], temperature: float) -> list[float]:
    """Say how far each sentence (token ids without END) agrees with all of them, 0 to 1.

    `totals` are their log-probabilities; divided by `temperature`, their softmax says how much each one's word counts.
    """
    top = max(totals, default=0.0)
    belief = [math.exp((total - top) / temperature) for total in totals]
    counted = [_count(sentence) for sentence in sentences]
    return [
        math.fsum(
            weight * alike(counted[at], counted[other], len(sentence) - len(sentences[other]))
            for other, weight in enumerate(belief)
        )
        / math.fsum(belief)
        for at, sentence in enumerate(sentences)
    ]


def alike(one: Grams, other: Grams, longer: int) -> float:
    """Say how like two sentences are, 0 to 1; `longer` is by how many words the one is longer than the other."""
    shared = math.fsum(
        math.fsum(min(count, theirs[gram]) * theirs[gram] for gram, count in mine.items() if gram in theirs)
        / (norm * their_norm)
        for (mine, norm), (theirs, their_norm) in zip(one, other, strict=True)
        if norm and their_norm
    )
    return shared / LONGEST * math.exp(-(longer**2) / (2 * LENGTH_SIGMA**2))


def _count(sentence: Sequence[int]) -> Grams:
    grams = (
        Counter(tuple(sentence[at : at + size]) for at in range(len(sentence) - size + 1))
        for size in range(1, LONGEST + 1)
    )
    return tuple((counts, math.hypot(*counts.values())) for counts in grams)
