"""CIDEr-D (Vedantam et al. 2015), by coco-caption's conventions."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from trainer.metrics.grams import MAX_ORDER, Gram, References, Tokens, check_pairs, of_all_orders

CIDER_SIGMA: Final = 6.0
"""Width of CIDEr-D's length penalty, in tokens (Vedantam et al. 2015, section 5)."""

CIDER_SCALE: Final = 10.0
"""CIDEr is reported times ten (Vedantam et al. 2015, section 5)."""

CACHED_REFERENCES: Final = 1 << 16
"""Reference vectors a `CiderD` keeps, about 5 KiB each: all 30,455 of Flickr8k, a working set of COCO."""


@dataclass(frozen=True, slots=True)
class _Vector:
    weights: dict[Gram, float]
    """TF-IDF of each n-gram of all orders together."""
    norms: tuple[float, ...]
    """Euclidean norm of each order."""
    length: int
    """Bigrams in the sentence, which is what coco-caption measures length by."""


class CiderD:
    """CIDEr-D (Vedantam et al. 2015) against one corpus: "CIDEr" as coco-caption reports it.

    Document frequencies are counted once, in the constructor; vectors of references are kept, because self-critical
    training (Rennie et al. 2017) scores many sentences against the same ones. 30,000 sentences take seconds.
    """

    def __init__(self, references: Sequence[References], *, sigma: float = CIDER_SIGMA) -> None:
        self._frequency = Counter[Gram]()
        for refs in references:
            self._frequency.update({gram for ref in refs for gram in of_all_orders(ref)})
        self._log_pictures = math.log(len(references)) if references else 0.0
        self._idf = {gram: self._log_pictures - math.log(count) for gram, count in self._frequency.items()}
        self._spread = 2 * sigma * sigma
        self._reference = lru_cache(maxsize=CACHED_REFERENCES)(self._vector)

    def score(self, candidate: Tokens, references: References) -> float:
        """Score one sentence, 0 to 10, against the references of its image.

        Raises `ValueError` where there are none.
        """
        if not references:
            raise ValueError("CIDEr needs at least one reference an image")
        ours = self._vector(tuple(candidate))
        total = sum(self._likeness(ours, self._reference(tuple(reference))) for reference in references)
        return CIDER_SCALE * total / (MAX_ORDER * len(references))

    def cached(self, candidates: Sequence[Tokens], references: Sequence[References]) -> float:
        """Return the mean score of many images; 0 for none."""
        check_pairs(candidates, references)
        scores = [self.score(ours, refs) for ours, refs in zip(candidates, references, strict=True)]
        return math.fsum(scores) / len(scores) if scores else 0.0

    def rarity(self, gram: Tokens) -> float:
        """Return an n-gram's inverse document frequency (equation 2): how many images there are by one that has it."""
        return self._idf.get(tuple(gram), self._log_pictures)

    def weights(self, sentence: Tokens) -> dict[Gram, float]:
        """Return each n-gram's weight in a sentence, normalised so that the squares of each order sum to one."""
        vector = self._vector(tuple(sentence))
        norms = {gram: vector.norms[len(gram) - 1] for gram in vector.weights}
        return {gram: weight / norms[gram] for gram, weight in vector.weights.items() if norms[gram]}

    def _vector(self, tokens: Gram) -> _Vector:
        weights, squares = {}, [0.0] * MAX_ORDER
        for gram, count in Counter(of_all_orders(tokens)).items():
            weight = count * self._idf.get(gram, self._log_pictures)
            weights[gram] = weight
            squares[len(gram) - 1] += weight * weight
        return _Vector(weights, tuple(map(math.sqrt, squares)), max(0, len(tokens) - 1))

    def _likeness(self, ours: _Vector, theirs: _Vector) -> float:
        """Sum over n of the clipped cosine, times the length penalty."""
        products = [0.0] * MAX_ORDER
        for gram, weight in theirs.weights.items():
            if gram in ours.weights:
                products[len(gram) - 1] += min(ours.weights[gram], weight) * weight
        pairs = zip(products, ours.norms, theirs.norms, strict=True)
        likeness = sum(product / (a * b) for product, a, b in pairs if a and b)
        return likeness * math.exp(-((ours.length - theirs.length) ** 2) / self._spread)
