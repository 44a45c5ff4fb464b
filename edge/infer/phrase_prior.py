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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.phrases import LONGEST, Phrase

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CIDER_SCALE: Final = 10.0
"""CIDEr is reported times ten."""

Followers = tuple[Ints, Ints, Floats]
"""Of all phrases that begin alike: their last words, their places, and their rarities."""


class Phrases:
    """The phrases of a bundle, sorted so that a step of the search finds those that it could complete."""

    def __init__(self, rarities: Mapping[Phrase, float]) -> None:
        """Take the rarity of each phrase, in the order of what is foretold."""
        self._places = {phrase: (place, rarity) for place, (phrase, rarity) in enumerate(rarities.items())}
        self._unheard = max(rarities.values(), default=0.0)
        self._holding: dict[int, list[int]] = {}
        beginnings: dict[Phrase, list[tuple[int, int, float]]] = {}
        for phrase, (place, rarity) in self._places.items():
            beginnings.setdefault(phrase[:-1], []).append((phrase[-1], place, rarity))
        self._followers: dict[Phrase, Followers] = {start: _columns(rows) for start, rows in beginnings.items()}

    def __len__(self) -> int:
        return len(self._places)

    def of(
        self, expected: Floats, pull: float, unspeakable: Sequence[Phrase] = (), costs: "Costs | None" = None
    ) -> "Expectation":
        """Return what is expected of one picture: expected [P], and how much it pulls at the search.

        `costs` are of words that the picture bears out too little.

        Nothing is expected of a phrase that holds the rarest word of an unspeakable one: the search would be pulled
        towards what it may not say, and end in nonsense beside it.
        """
        places = [place for word in {self._rarest(phrase) for phrase in unspeakable} for place in self._with(word)]
        if places:
            expected = expected.copy()
            expected[places] = 0.0
        return Expectation(self, expected, pull, costs)

    def single(self) -> dict[int, int]:
        """Return the place of each phrase that is a single word, by the word."""
        return {phrase[0]: place for phrase, (place, _) in self._places.items() if len(phrase) == 1}

    def _rarest(self, phrase: Phrase) -> int:
        return max(phrase, key=lambda word: self._places.get((word,), (-1, self._unheard))[1])

    def _with(self, word: int) -> list[int]:
        """Return the places of the phrases that hold a word."""
        if word not in self._holding:
            self._holding[word] = [place for phrase, (place, _) in self._places.items() if word in phrase]
        return self._holding[word]

    def followers(self, beginning: Phrase) -> Followers | None:
        """Return the phrases that are this beginning and one word more."""
        return self._followers.get(beginning)

    def weights(self, sentence: Sequence[int]) -> list[tuple[int, float]]:
        """Return (place, CIDEr's normalised weight) of each phrase of a sentence, token ids without END.

        Phrases that the bundle does not hold are taken for as rare as the rarest of it.
        """
        found = []
        for size in range(1, LONGEST + 1):
            counts = Counter(tuple(sentence[at : at + size]) for at in range(len(sentence) - size + 1))
            known = [(*self._places.get(phrase, (-1, self._unheard)), count) for phrase, count in counts.items()]
            norm = math.hypot(*(rarity * count for _, rarity, count in known))
            found += [(place, rarity * count / norm) for place, rarity, count in known if place >= 0 and norm]
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
        self._phrases, self._expected, self._pull = phrases, expected, pull
        self._known: dict[Phrase, tuple[Ints, Floats] | None] = {}
        self._alone: Floats | None = None
        self._guided: Floats | None = None

    def guide(self, log_probs: Floats, said: Sequence[Phrase]) -> Floats:
        """Add to log_probs [B, W] what each next word would complete of the expected, after what was said [B]."""
        if self._guided is None or len(self._guided) < len(log_probs):
            self._guided = np.empty_like(log_probs)
        guided = self._guided[: len(log_probs)]
        np.add(log_probs, self._by_itself(log_probs.shape[1]), out=guided)
        longest = min(LONGEST, max(map(len, said), default=0) + 1)
        for size in range(1, longest):
            found = [self._worth(tokens[len(tokens) - size :]) if len(tokens) >= size else None for tokens in said]
            rows = [row for row, worth in enumerate(found) if worth is not None]
            if not rows:
                continue
            columns = [worth[0] for worth in found if worth is not None]
            row_of_each = np.repeat(rows, [len(words) for words in columns])
            values = np.concatenate([worth[1] for worth in found if worth is not None])
            guided[row_of_each, np.concatenate(columns)] += values
        return guided

    def _by_itself(self, words: int) -> Floats:
        """Return what each word [W] is worth wherever it stands."""
        if self._alone is None:
            self._alone = np.zeros(words, np.float32)
            if found := self._worth(()):
                self._alone[found[0]] = found[1]
            if self._costs is not None:
                self._alone += self._costs.search
        return self._alone

    def likeness(self, sentence: Sequence[int]) -> float:
        """Return the CIDEr that a sentence (token ids without END) can expect, 0 to 10, without the length penalty.

        Words that the picture does not bear out take their cost from it.
        """
        shared = math.fsum(float(self._expected[place]) * weight for place, weight in self._phrases.weights(sentence))
        cost = 0.0 if self._costs is None else float(self._costs.choice[list(sentence)].sum())
        return CIDER_SCALE * shared / LONGEST + cost

    def _worth(self, beginning: Phrase) -> tuple[Ints, Floats] | None:
        if beginning not in self._known:
            found = self._phrases.followers(beginning)
            self._known[beginning] = found and (found[0], self._pull * self._expected[found[1]] * found[2])
        return self._known[beginning]


def _columns(rows: Sequence[tuple[int, int, float]]) -> Followers:
    words, places, rarities = zip(*rows, strict=True)
    return np.array(words, np.int64), np.array(places, np.int64), np.array(rarities, np.float32)
