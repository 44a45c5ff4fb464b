"""Consensus: of the beam's sentences, the one that most of the belief agrees with.

The most probable sentence is often an odd one out: short, or with a detail that no other hypothesis has. Minimum Bayes
risk decoding (Kumar and Byrne 2004, HLT-NAACL) takes the sentence that is most like all the others instead, each
weighed by its probability. Alike here means sharing n-grams, clipped and cut off by length as CIDEr-D does (Vedantam et
al. 2015, equation 5), but without its word weights, which would have to be shipped and win nothing.
Dimensions: K sentences, G n-grams.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST: Final = 3
"""Words of the longest n-grams; four are too rarely shared within a beam to tell anything."""

LENGTH_SIGMA: Final = 6.0
"""Words by which two lengths may differ before they count as unlike; CIDEr-D's."""

Table = NDArray[np.float64]


def agreement(sentences: Sequence[Sequence[int]], totals: Sequence[float], temperature: float) -> list[float]:
    """Say how far each sentence (token ids without END) agrees with all of them, 0 to 1.

    `totals` are their log-probabilities; divided by `temperature`, their softmax says how much each one's word counts.
    """
    if not sentences:
        return []
    belief = np.exp((np.array(totals) - max(totals)) / temperature)
    agreed: list[float] = (alike(sentences) @ (belief / belief.sum())).tolist()
    return agreed


def alike(sentences: Sequence[Sequence[int]]) -> Table:
    """Say how like each sentence is to each [K, K], 0 to 1; a word said too often counts against its own row."""
    shared = np.zeros((len(sentences), len(sentences)))
    for size in range(1, LONGEST + 1):
        counts = _counts(sentences, size)
        once = counts.max(initial=0) <= 1  # nothing is said twice: nearly always, and a product of matrices is enough
        products = counts @ counts.T if once else (np.minimum(counts[:, np.newaxis], counts) * counts).sum(-1)
        norms = np.linalg.norm(counts, axis=1)
        shared += products / np.maximum(norms[:, np.newaxis] * norms, 1)  # a norm is 0, or at least 1
    lengths = np.array([len(sentence) for sentence in sentences])
    longer = lengths[:, np.newaxis] - lengths
    table: Table = shared / LONGEST * np.exp(-(longer**2) / (2 * LENGTH_SIGMA**2))
    return table


def _counts(sentences: Sequence[Sequence[int]], size: int) -> Table:
    """Count each n-gram of one size in each sentence [K, G]."""
    columns: dict[tuple[int, ...], int] = {}
    places = [
        (row, columns.setdefault(tuple(sentence[at : at + size]), len(columns)))
        for row, sentence in enumerate(sentences)
        for at in range(len(sentence) - size + 1)
    ]
    counts = np.zeros((len(sentences), len(columns)))
    for row, column in places:
        counts[row, column] += 1
    return counts
