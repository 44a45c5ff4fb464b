"""Expectation: which phrases the sentences of such a picture hold, to search by and to choose by.

Of a picture, the model foretells how much weight each phrase has in what people would write: the mean, over their
sentences, of CIDEr's normalised weights (Vedantam et al. 2015, equation 3). The likeness of any sentence to those
unwritten ones is then a dot product. Words found in the picture before a sentence is made of them are Fang et al.'s
(2015, arXiv:1411.4952); choosing by likeness to the sentences of similar pictures is Devlin et al.'s (2015,
arXiv:1505.04467).
Dimensions: B hypotheses, W words, P phrases.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.phrases import LONGEST, Phrase

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CIDER_SCALE: Final = 10.0
"""CIDEr is reported times ten."""

Followers = tuple[Ints, slice]
"""Of all phrases that begin alike: their last words, and where they stand among all phrases sorted by beginning."""


class Phrases:
    """The phrases of a bundle, sorted so that a step of the search finds those that it could complete."""

    def __init__(self, rarities: Mapping[Phrase, float]) -> None:
        """Take the rarity of each phrase, in the order of what is foretold."""
        self._places = {phrase: (place, rarity) for place, (phrase, rarity) in enumerate(rarities.items())}
        self._unheard = max(rarities.values(), default=0.0)
        beginnings: dict[Phrase, list[tuple[int, int, float]]] = {}
        for phrase, (place, rarity) in self._places.items():
            beginnings.setdefault(phrase[:-1], []).append((phrase[-1], place, rarity))
        rows = [row for group in beginnings.values() for row in group]
        self.order: Ints = np.array([place for _, place, _ in rows], np.int64)
        self.rarities: Floats = np.array([rarity for *_, rarity in rows], np.float32)
        self.followers: Mapping[Phrase, Followers] = dict(_slices(beginnings))
        self._none = max((max(phrase) for phrase in rarities), default=0) + 1
        spelt = [(*phrase, *[self._none] * (LONGEST - len(phrase))) for phrase in rarities]
        self._spelt: Ints = np.array(spelt, np.int64).reshape(-1, LONGEST).T.copy()

    def __len__(self) -> int:
        return len(self._places)

    def of(
        self,
        expected: Floats,
        pull: float,
        unspeakable: Sequence[Phrase] = (),
        words: NDArray[np.int32] | None = None,
        costs: "Costs | None" = None,
    ) -> "Expectation":
        """Return what is expected of one picture: expected [P], and how much it pulls at the search.

        `costs` are of words that the picture bears out too little.

        Nothing is expected of a phrase that holds one of the unspeakable words, or the rarest word of an unspeakable
        run: the search would be pulled towards what it may not say, and end in nonsense beside it.
        """
        silent = np.array([self._rarest(phrase) for phrase in unspeakable], np.int64)
        silent = silent if words is None else np.concatenate([silent, words])
        if len(silent):
            expected = np.where(self._holding(silent), np.float32(0.0), expected)
        return Expectation(self, expected, pull, costs)

    def single(self) -> dict[int, int]:
        """Return the place of each phrase that is a single word, by the word."""
        return {phrase[0]: place for phrase, (place, _) in self._places.items() if len(phrase) == 1}

    def _rarest(self, phrase: Phrase) -> int:
        return max(phrase, key=lambda word: self._places.get((word,), (-1, self._unheard))[1])

    def _holding(self, words: Ints) -> NDArray[np.bool_]:
        """Say of each phrase whether it holds any of the words [P]."""
        any_of = np.zeros(self._none + 1, np.bool_)
        any_of[words[words < self._none]] = True
        return np.asarray(any_of[self._spelt].any(0))

    def weights(self, sentence: Sequence[int]) -> list[tuple[int, float]]:
        """Return (place, CIDEr's normalised weight) of each phrase of a sentence, token ids without END.

        Phrases that the bundle does not hold are taken for as rare as the rarest of it.
        """
        found: list[tuple[int, float]] = []
        unheard = (-1, self._unheard)
        for size in range(1, LONGEST + 1):
            counts = Counter(zip(*(sentence[at:] for at in range(size)), strict=False))
            known = [(*self._places.get(phrase, unheard), count) for phrase, count in counts.items()]
            if norm := math.sqrt(sum([(rarity * count) ** 2 for _, rarity, count in known])):
                found += [(place, rarity * count / norm) for place, rarity, count in known if place >= 0]
        return found


@dataclass(frozen=True, slots=True)
class Costs:
    """What each word [W] adds to a sentence that holds it, at most 0."""

    search: Floats
    """To its log-probability, in the search."""
    choice: Floats
    """To the CIDEr that it can expect, in the choice of the sentence."""


class Expectation:
    """What is expected of one picture."""

    def __init__(self, phrases: Phrases, expected: Floats, pull: float, costs: Costs | None = None) -> None:
        self._costs = costs
        self._phrases, self._expected = phrases, expected
        self._worth: Floats = np.float32(pull) * expected[phrases.order] * phrases.rarities
        self._alone: Floats | None = None
        self._guided: Floats | None = None

    def guide(self, log_probs: Floats, said: Sequence[Phrase]) -> Floats:
        """Add to log_probs [B, W] what each next word would complete of the expected, after what was said [B].

        What is returned stands in one array that the next call overwrites.
        """
        if self._guided is None or len(self._guided) < len(log_probs):
            self._guided = np.empty_like(log_probs)
        guided = self._guided[: len(log_probs)]
        np.add(log_probs, self._by_itself(log_probs.shape[1]), out=guided)
        followers, worth = self._phrases.followers, self._worth
        for row, tokens in enumerate(said):
            for size in range(1, min(LONGEST, len(tokens) + 1)):
                if found := followers.get(tokens[-size:]):
                    guided[row, found[0]] += worth[found[1]]
        return guided

    def _by_itself(self, words: int) -> Floats:
        """Return what each word [W] is worth wherever it stands."""
        if self._alone is None:
            self._alone = np.zeros(words, np.float32)
            if found := self._phrases.followers.get(()):
                self._alone[found[0]] = self._worth[found[1]]
            if self._costs is not None:
                self._alone += self._costs.search
        return self._alone

    def likeness(self, sentence: Sequence[int]) -> float:
        """Return the CIDEr that a sentence (token ids without END) can expect, 0 to 10, without the length penalty.

        Words that the picture does not bear out take their cost from it.
        """
        weights = self._phrases.weights(sentence)
        expected = self._expected[[place for place, _ in weights]].tolist()
        shared = math.fsum([share * weight for share, (_, weight) in zip(expected, weights, strict=True)])
        cost = 0.0 if self._costs is None else float(self._costs.choice[list(sentence)].sum())
        return CIDER_SCALE * shared / LONGEST + cost


def _slices(beginnings: Mapping[Phrase, Sequence[tuple[int, int, float]]]) -> Iterator[tuple[Phrase, Followers]]:
    start = 0
    for beginning, rows in beginnings.items():
        yield beginning, (np.array([word for word, *_ in rows], np.int64), slice(start, start + len(rows)))
        start += len(rows)
