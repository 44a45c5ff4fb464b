"""How near captions come to what people wrote: pure functions over tokens, by the conventions of coco-caption.

Legend: a *candidate* is the token list of one generated sentence; its *references* are the token lists of what people
wrote of the same picture; *corpus* functions take one candidate and one list of references a picture, in one order.
Every score is a fraction from 0 to 1 except CIDEr, which runs from 0 to 10.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from typing import Final

Tokens = Sequence[str]
References = Sequence[Tokens]
Gram = tuple[str, ...]

MAX_ORDER: Final = 4
"""Longest n-gram that BLEU and CIDEr look at (Papineni et al. 2002; Vedantam et al. 2015)."""

CIDER_SIGMA: Final = 6.0
"""Width of CIDEr-D's length penalty, in tokens (Vedantam et al. 2015, section 5)."""

CIDER_SCALE: Final = 10.0
"""CIDEr is reported times ten (Vedantam et al. 2015, section 5)."""

ROUGE_BETA: Final = 1.2
"""How much more recall weighs than precision in coco-caption's ROUGE-L."""

CACHED_REFERENCES: Final = 1 << 16
"""Reference vectors a `CiderD` keeps, about 5 KiB each: all 30,455 of Flickr8k, a working set of COCO."""

_word: Final = re.compile(
    r"\d+(?:st|nd|rd|th)\b"  # 1st
    r"|\d[\d,.:/-]*\d(?!-?\w)"  # 3.5, 1/2, 10:30; but 50-yard is a word
    r"|[a-z](?:\.[a-z])+\.?"  # u.s.
    r"|\w+(?=n['’]t\b)"  # do | n't
    r"|n['’]t\b"
    r"|o['’]clock\b"
    r"|['’](?:s|re|ve|ll|d|m)\b"
    r"|(?:mr|mrs|ms|dr|st|jr|vs)\.(?=\s)"
    r"|\w+(?:[-/]\w+)*"
    r"|[#$%&*+/=@~^|<>]"
)
_parts: Final = {"cannot": ("can", "not"), "gonna": ("gon", "na"), "wanna": ("wan", "na"), "gotta": ("got", "ta")}


def tokenize(text: str) -> list[str]:
    """Split a caption into lower-case tokens without punctuation, as coco-caption does by Stanford's PTB tokenizer.

    Contractions split as in the Penn Treebank (`man 's`, `do n't`); hyphenated words stay whole. Of 47,025 captions of
    Flickr8k and COCO all but 22 come out the same; those hold brackets, which that tokenizer spells `-lrb-`, or names
    of streets and web sites.
    """
    tokens = (token.replace("’", "'") for token in _word.findall(text.lower()))
    return list(chain.from_iterable(_parts.get(token, (token,)) for token in tokens))


def grams(tokens: Tokens, order: int) -> Iterator[Gram]:
    """Give every n-gram of exactly `order` tokens, in order, repeats included."""
    return zip(*(tokens[start:] for start in range(order)), strict=False)


def bleu(candidates: Sequence[Tokens], references: Sequence[References]) -> tuple[float, float, float, float]:
    """Give corpus BLEU-1 to BLEU-4 (Papineni et al. 2002) with the closest reference length.

    Raises `ValueError` where the two differ in length, or a picture has no reference.
    """
    precisions, brevity = _precisions(candidates, references)
    means = (sum(logs) / len(logs) for logs in _prefixes([_log(share) for share in precisions]))
    one, two, three, four = (brevity * math.exp(mean) for mean in means)
    return one, two, three, four


def weighted_bleu(
    candidates: Sequence[Tokens], references: Sequence[References], weights: Sequence[float] = (1 / 3, 1 / 3, 1 / 3)
) -> float:
    """Give corpus BLEU whose geometric mean weighs the n-grams from 1 up to four by `weights`."""
    precisions, brevity = _precisions(candidates, references)
    return brevity * math.exp(sum(w * _log(p) for w, p in zip(weights, precisions, strict=False) if w))


def rouge_l(candidates: Sequence[Tokens], references: Sequence[References]) -> float:
    """Give the mean ROUGE-L (Lin 2004): F-measure of the longest common subsequence, best reference for each share."""
    _pair(candidates, references)
    return _mean([_rouge_l(candidate, refs) for candidate, refs in zip(candidates, references, strict=True)])


def jaccard(candidate: Tokens, reference: Tokens) -> float:
    """Give the share of distinct words that two sentences have in common (Jaccard 1901); two empty ones are equal."""
    ours, theirs = set(candidate), set(reference)
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


def cosine(candidate: Tokens, reference: Tokens) -> float:
    """Give the cosine between the word counts of two sentences; 0 where one is empty."""
    ours, theirs = Counter(candidate), Counter(reference)
    norms = math.sqrt(sum(n * n for n in ours.values()) * sum(n * n for n in theirs.values()))
    return sum(count * theirs[word] for word, count in ours.items()) / norms if norms else 0.0


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
            self._frequency.update({gram for ref in refs for gram in _all_grams(ref)})
        self._log_pictures = math.log(len(references)) if references else 0.0
        self._idf = {gram: self._log_pictures - math.log(count) for gram, count in self._frequency.items()}
        self._spread = 2 * sigma * sigma
        self._reference = lru_cache(maxsize=CACHED_REFERENCES)(self._vector)

    def score(self, candidate: Tokens, references: References) -> float:
        """Score one sentence, 0 to 10, against the references of its picture.

        Raises `ValueError` where there are none.
        """
        if not references:
            raise ValueError("CIDEr needs at least one reference a picture")
        ours = self._vector(tuple(candidate))
        total = sum(self._likeness(ours, self._reference(tuple(reference))) for reference in references)
        return CIDER_SCALE * total / (MAX_ORDER * len(references))

    def corpus(self, candidates: Sequence[Tokens], references: Sequence[References]) -> float:
        """Give the mean score of many pictures; 0 for none."""
        _pair(candidates, references)
        return _mean([self.score(ours, refs) for ours, refs in zip(candidates, references, strict=True)])

    def _vector(self, tokens: Gram) -> _Vector:
        weights, squares = {}, [0.0] * MAX_ORDER
        for gram, count in Counter(_all_grams(tokens)).items():
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


def _all_grams(tokens: Tokens) -> Iterator[Gram]:
    return chain.from_iterable(grams(tokens, order) for order in range(1, MAX_ORDER + 1))


def _precisions(candidates: Sequence[Tokens], references: Sequence[References]) -> tuple[list[float], float]:
    """Clipped n-gram precision of each order over the corpus, and the brevity penalty."""
    _pair(candidates, references)
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


def _rouge_l(candidate: Tokens, references: References) -> float:
    common = [_longest_common(candidate, reference) for reference in references]
    precision = max(common) / len(candidate) if candidate else 0.0
    recall = max(length / len(ref) if ref else 0.0 for length, ref in zip(common, references, strict=True))
    if not precision or not recall:
        return 0.0
    return (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision)


def _longest_common(ours: Tokens, theirs: Tokens) -> int:
    """Length of the longest common subsequence, row by row."""
    row = [0] * (len(theirs) + 1)
    for word in ours:
        above, row = row, [0]
        for at, other in enumerate(theirs):
            row.append(above[at] + 1 if word == other else max(above[at + 1], row[at]))
    return row[-1]


def _pair(candidates: Sequence[Tokens], references: Sequence[References]) -> None:
    if len(candidates) != len(references):
        raise ValueError(f"{len(candidates)} candidates cannot be scored against references of {len(references)}")
    if not all(references):
        at = next(number for number, refs in enumerate(references) if not refs)
        raise ValueError(f"picture {at} has no reference")


def _prefixes(logs: list[float]) -> Iterator[list[float]]:
    return accumulate(([log] for log in logs), lambda before, log: before + log)


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores) if scores else 0.0
