"""Things: how far the picture bears out each thing that a sentence could name, by the words expected of the picture.

Dimensions: P phrases, T things, W words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract import bundle
from contract.phrases import Phrase

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the picture bears out too little."""

    words: Floats
    """Logarithm of the probability of the thing that each word names [W], at most 0; 0 for all other words."""
    forbidden: tuple[Phrase, ...]
    """Words of the things that are too improbable to be named."""


class Things:
    """The things of a bundle, by the ids of its vocabulary and the places of its phrases."""

    def __init__(self, known: bundle.Things, ids: Mapping[str, int], places: Mapping[int, int]) -> None:
        """Take the place of each phrase of a single word by that word's id; words that are not known are left out."""
        self._least, self._count = known.least, len(ids)
        things = list(known.named.values())
        self._words = [tuple(ids[word] for word in thing.words if word in ids) for thing in things]
        heard = [[ids[word] for word in (*thing.words, *thing.also) if word in ids] for thing in things]
        self._places = [np.array([places[word] for word in words if word in places], np.int64) for words in heard]
        self._bias = np.array([thing.bias for thing in things])
        self._slope = np.array([thing.slope for thing in things])

    def doubt(self, expected: Floats) -> Doubt:
        """Judge one picture by what is expected of it [P]."""
        weight = np.array([np.maximum(expected[places], 0.0).sum() for places in self._places])
        likely = -np.logaddexp(0.0, -(self._bias + self._slope * weight))
        words = np.zeros(self._count, np.float32)
        forbidden: list[Phrase] = []
        for named, log in zip(self._words, likely.tolist(), strict=True):
            words[list(named)] = log
            if log < np.log(max(self._least, 1e-9)):
                forbidden += [(word,) for word in named]
        return Doubt(words, tuple(forbidden))
