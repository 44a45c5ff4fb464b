"""Things: how far the picture bears out each thing that a sentence could name, by the words expected of the picture.

Dimensions: P phrases, T things, W words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract import bundle

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the picture bears out too little."""

    words: Floats
    """Logarithm of the probability of the thing that each word names [W], at most 0; 0 for all other words."""
    forbidden: NDArray[np.int32]
    """Words of the things that are too improbable to be named."""


class Things:
    """The things of a bundle, by the ids of its vocabulary and the places of its phrases."""

    def __init__(self, known: bundle.Things, ids: Mapping[str, int], places: Mapping[int, int]) -> None:
        """Take the place of each phrase of a single word by that word's id; words that are not known are left out."""
        self._count = len(ids)
        self._least = float(np.log(max(known.least, 1e-9)))
        things = list(known.named.values())
        named = [[ids[word] for word in thing.words if word in ids] for thing in things]
        heard = [[ids[word] for word in (*thing.words, *thing.also) if word in ids] for thing in things]
        self._named, self._of_named = _flat(named)
        self._places, self._of_places = _flat([[places[word] for word in words if word in places] for words in heard])
        self._bias = np.array([thing.bias for thing in things])
        self._slope = np.array([thing.slope for thing in things])

    def doubt(self, expected: Floats) -> Doubt:
        """Judge one picture by what is expected of it [P]."""
        share = np.maximum(expected[self._places], 0.0)
        weight = np.bincount(self._of_places, share, len(self._bias))
        likely = -np.logaddexp(0.0, -(self._bias + self._slope * weight))
        words = np.zeros(self._count, np.float32)
        words[self._named] = likely[self._of_named]
        return Doubt(words, self._named[likely[self._of_named] < self._least])


def _flat(groups: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the members of all groups one after the other, and the group of each."""
    members = [member for group in groups for member in group]
    of_each = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    return np.array(members, np.int32), of_each
