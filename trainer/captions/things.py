"""Fits how probable each thing is, given the phrases that are expected of an image.

One logistic regression a thing, of whether any reference names it on the sum of what is expected of its words, by
Newton's method with a little shrinkage. What is expected of an image must come from a predictor that has not learnt
from it: see `out_of_fold`. Dimensions: M images, P phrases.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.bundle import Thing
from contract.phrases import Phrase
from contract.vocabulary import Vocabulary
from trainer.data.example import CaptionExample
from trainer.metrics.invented import named
from trainer.metrics.things import THINGS, WIDER
from trainer.recipe.recipe import Phrases as Sizes
from trainer.training.stages import phrase_predictor
from trainer.training.stages.phrase_predictor import Fitted, Targets

Floats = npt.NDArray[np.float64]

FOLDS: Final = 5

FEWEST: Final = 8
"""Images that must show a thing for a regression of its own; rarer things take the median of the others."""

LEFT_OUT: Final = ("knife",)
"""Things that the evidence of dangers decides."""

STEPS: Final = 30
SHRINKAGE: Final = (1e-3, 0.5)
"""Of bias and slope, the latter of a feature of spread 1."""


def out_of_fold(
    maps: Sequence[npt.NDArray[np.float32]], targets: Targets, captioned: int, sizes: Sizes, seed: int
) -> npt.NDArray[np.float32]:
    """Return what is expected of the first `captioned` images [M, P], each by a fit that has not seen it."""
    order = np.random.default_rng(seed).permutation(captioned)
    found = np.zeros((captioned, len(targets.rarities)), np.float32)
    for fold in range(FOLDS):
        unseen = np.sort(order[fold::FOLDS])
        rest = np.setdiff1d(np.arange(len(targets)), unseen)
        fitted = phrase_predictor.fit([view[rest] for view in maps], targets.of_rows(rest.tolist()), sizes)
        found[unseen] = expected(fitted, maps[0][unseen])
    return found


def expected(fitted: Fitted, pooled: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what a fit expects of images: pooled [M, 2D] -> [M, P]."""
    weights = ((pooled - fitted.centre) / fitted.spread) @ fitted.first @ fitted.second
    return np.asarray(weights + fitted.bias, np.float32)


def fit(
    expected: npt.NDArray[np.float32],
    captioned: Sequence[CaptionExample],
    rarities: Mapping[Phrase, float],
    words: Vocabulary,
) -> dict[str, Thing]:
    """Return the things that the vocabulary can name, each with its regression."""
    places = {phrase[0]: place for place, phrase in enumerate(rarities) if len(phrase) == 1}
    said = [set().union(*map(named, example.sentences)) for example in captioned]
    lists = {thing: _known(thing, words) for thing in THINGS if thing not in LEFT_OUT}
    fits: dict[str, tuple[float, float] | None] = {}
    for thing, own in lists.items():
        heard = [words.ids[word] for word in (*own, *_also(thing, words))]
        columns = [places[token] for token in heard if token in places]
        shown: Floats = np.array([thing in names for names in said], np.float64)
        weight: Floats = np.maximum(expected[:, columns], 0.0).sum(1).astype(np.float64)
        fits[thing] = logistic(weight, shown) if columns and shown.sum() >= FEWEST else None
    rising = [found for found in fits.values() if found is not None and found[1] > 0]
    if not rising:
        return {}
    usual = tuple(float(np.median(values)) for values in zip(*rising, strict=True))
    named_things = {}
    for thing, own in lists.items():
        found = fits[thing]
        bias, slope = found if found is not None and found[1] > 0 else usual
        if own:
            named_things[thing] = Thing(words=own, also=_also(thing, words), bias=round(bias, 3), slope=round(slope, 3))
    return named_things


def logistic(values: Floats, shown: Floats) -> tuple[float, float]:
    """Return bias and slope of the log-odds of `shown` (0 or 1) given `values`: both [M]."""
    spread = values.std() + 1e-3
    inputs = np.stack([np.ones_like(values), values / spread], 1)
    penalty = np.diag(SHRINKAGE)
    found = np.array([np.log(max(shown.mean(), 1e-3)), 0.0])
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        gradient = inputs.T @ (shown - likely) - penalty @ found
        curvature = (inputs * (likely * (1 - likely))[:, np.newaxis]).T @ inputs + penalty
        found = found + np.linalg.solve(curvature, gradient)
    return float(found[0]), float(found[1] / spread)


def _known(thing: str, words: Vocabulary) -> tuple[str, ...]:
    return tuple(word for word in THINGS[thing].split() if word in words.ids)


def _also(thing: str, words: Vocabulary) -> tuple[str, ...]:
    """Return the words of the narrower things by which this one is named as well."""
    return tuple(word for narrow, wider in WIDER.items() if thing in wider for word in _known(narrow, words))
