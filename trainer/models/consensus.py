"""Minimum Bayes risk over a beam's sentences, as the device chooses, for scoring while training.

Kumar and Byrne 2004, with shared n-grams as the similarity; the formula is documented in
`edge.infer.minimum_bayes_risk`,
and a test compares the two.
Dimensions: K sentences.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

LONGEST: Final = 3
"""Words of the longest n-grams."""

LENGTH_SIGMA: Final = 6.0
"""Standard deviation in words of the length penalty (CIDEr-D, Vedantam et al. 2015)."""

Floats = npt.NDArray[np.float64]


def agreed(sentences: Sequence[Sequence[int]], totals: npt.ArrayLike, temperature: float) -> int:
    """Return the place of the sentence (token ids without END) that agrees most with all K; the first one wins a tie.

    `totals` [K] are log-probabilities.
    """
    scaled = np.asarray(totals, np.float64) / temperature
    belief = np.exp(scaled - scaled.max())
    lengths = np.array([len(sentence) for sentence in sentences], np.float64)
    apart = np.exp(-((lengths[:, np.newaxis] - lengths) ** 2) / (2 * LENGTH_SIGMA**2))
    likeness = sum(_shared(sentences, size) for size in range(1, LONGEST + 1)) / LONGEST * apart
    return int((likeness @ belief).argmax())


def _shared(sentences: Sequence[Sequence[int]], size: int) -> Floats:
    """Return the clipped cosines [K, K] of all pairs' counts of n-grams of one size; they are not symmetric."""
    grams = [Counter(zip(*(sentence[at:] for at in range(size)), strict=False)) for sentence in sentences]
    columns = {gram: at for at, gram in enumerate(sorted(set().union(*grams)))}
    counts = np.zeros((len(sentences), len(columns)))
    for row, found in enumerate(grams):
        counts[row, [columns[gram] for gram in found]] = list(found.values())
    norms = np.linalg.norm(counts, axis=1)
    products = (np.minimum(counts[:, np.newaxis], counts) * counts).sum(-1)
    scale = norms[:, np.newaxis] * norms
    cosines: Floats = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    return cosines
