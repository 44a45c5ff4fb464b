"""The phrase predictor: expects phrases of an image's captions from its pooled features.

Ridge regression (Hoerl and Kennard 1970) of each phrase's mean normalised CIDEr weight (Vedantam et al. 2015, equation
3) on the mean and maximum of the tuned cells, reduced to the rank whose predictions keep most of their variance
(reduced-rank regression, Izenman 1975). It has a closed form: one pass over the images, no epochs.
Dimensions: M images, D numbers pooled from an image, P phrases, R rank.
"""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from contract import sensitive_words
from contract.phrases import Phrase
from contract.vocabulary import Vocabulary
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.errors import CheckpointError, DataError, first_line
from trainer.metrics import CiderD
from trainer.metrics.grams import of_all_orders
from trainer.recipe.recipe import Phrases as Sizes
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint, feature_cache
from trainer.training.augmentation import AugmentedImage
from trainer.training.feature_cache import FeatureRequest
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.stage import Context, Stage

Floats = npt.NDArray[np.float32]

CHUNK: Final = 512
"""Images whose targets are in memory at once: 10 MB for 5,000 phrases."""

EPSILON: Final = 1e-6
"""Keeps the spread of images that are all alike above 0."""

LEAST_VARIANCE: Final = 0.01
"""Of the numbers' mean variance: one that hardly varies over all images tells nothing and is not blown up."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Pooled cells [M, D] -> what is expected of each phrase [M, P]: `((x - centre) / spread) first second + bias`."""

    centre: Floats
    """[D]."""
    spread: Floats
    """[D]."""
    first: Floats
    """[D, R]."""
    second: Floats
    """[R, P]."""
    bias: Floats
    """[P]."""


def build(depth: int, count: int, sizes: Sizes) -> Any:
    """Build the network: pooled cells [M, D] (mean, then maximum) -> what is expected of each phrase [M, P].

    The first layer brings each number to its mean of 0 and spread of 1 over the images that `put` was given.
    """
    pooled = keras.Input((depth,), name="pooled")
    even = layers.BatchNormalization(center=False, scale=False, epsilon=EPSILON, trainable=False, name="even")
    x = layers.Dense(sizes.rank, use_bias=False, name="first")(even(pooled, training=False))
    return keras.Model(pooled, layers.Dense(count, name="second")(x), name="phrases")


def put(network: Any, fitted: Fitted) -> None:
    """Set a network's weights to a fit; directions beyond those that the images span are zero."""
    first, second = network.get_layer("first"), network.get_layer("second")
    missing = first.units - fitted.first.shape[1]
    network.get_layer("even").set_weights([fitted.centre, fitted.spread**2 - EPSILON])
    first.set_weights([np.pad(fitted.first, ((0, 0), (0, missing)))])
    second.set_weights([np.pad(fitted.second, ((0, missing), (0, 0))), fitted.bias])


def train(recipe: Recipe, sizes: Sizes, prepared: Prepared, run: RunDir) -> None:
    """Fit on the training images that have sentences, as taken and mirrored; minutes, and the features are kept.

    What was fitted to the encoder as it is and to these phrases is left as it is. Raises `DataError` where no phrase is
    frequent enough.
    """
    targets = Targets.of(prepared, sizes)
    encoder = feature_cache.tuned(recipe.encoder, run)
    seen = []
    for name, mirrored in (("phrases", False), ("phrases-mirrored", True))[: 1 + recipe.encoder.flips]:
        maps = [AugmentedImage(example.path, mirrored=mirrored) for example in targets.examples]
        wanted = FeatureRequest(name, maps, (feature_cache.POOLED,))
        seen.append(feature_cache.cached(run.features, encoder, wanted)[feature_cache.POOLED])
    depth = seen[0].shape[-1]
    if _is_fitted(prepared, sizes, depth, run):
        return
    network = build(depth, len(targets.rarities), sizes)
    put(network, fit(seen, targets, sizes))
    checkpoint.save_weights(network, run.phrases)


def _is_fitted(prepared: Prepared, sizes: Sizes, depth: int, run: RunDir) -> bool:
    if not run.phrases.exists() or (run.encoder.exists() and run.encoder.stat().st_mtime > run.phrases.stat().st_mtime):
        return False
    try:
        load(prepared, sizes, depth, run)
    except CheckpointError:
        return False
    return True


def load(prepared: Prepared, sizes: Sizes, depth: int, run: RunDir) -> tuple[Any, dict[Phrase, float]]:
    """Return the network of a run and the rarity of each phrase; raises `CheckpointError` where none fits."""
    rarities = Targets.of(prepared, sizes).rarities
    network = build(depth, len(rarities), sizes)
    try:
        network.load_weights(run.phrases)
    except (FileNotFoundError, ValueError, OSError) as error:
        wanted = f"no {len(rarities)} phrases of this recipe and these sentences"
        raise CheckpointError(f"{run.phrases}: {wanted}; train them first: {first_line(error)}") from error
    return network, rarities


def frequent(
    spoken: Sequence[CaptionExample], cider: CiderD, least: int, vocabulary: Vocabulary
) -> dict[Phrase, float]:
    """Return the rarity of each phrase of known words that stands in at least so many sentences, the shortest first.

    Raises `DataError` where there is none.
    """
    counts = Counter(
        gram for example in spoken for sentence in example.sentences for gram in set(of_all_orders(sentence))
    )
    frequent_grams = (gram for gram, count in counts.items() if count >= least and not sensitive_words.found(gram))
    known = [gram for gram in frequent_grams if all(word in vocabulary.ids for word in gram)]
    if not known:
        raise DataError(f"phrases.min_count: no phrase stands in {least} of the training sentences")
    ordered = sorted(tuple(vocabulary.ids[word] for word in gram) for gram in known)
    ordered.sort(key=len)
    return {phrase: cider.rarity([vocabulary.words[token] for token in phrase]) for phrase in ordered}


class Targets:
    """Targets of the phrase predictor: mean normalised weights of phrases in the reference captions."""

    def __init__(self, examples: Sequence[CaptionExample], least: int, vocabulary: Vocabulary) -> None:
        """Take the images that have sentences; raises `DataError` where no phrase stands in `least` of these."""
        self.examples = [example for example in examples if example.sentences]
        self._cider = CiderD([example.sentences for example in self.examples])
        self.rarities = frequent(self.examples, self._cider, least, vocabulary)
        words = (tuple(vocabulary.words[token] for token in phrase) for phrase in self.rarities)
        self._places = {gram: place for place, gram in enumerate(words)}

    @classmethod
    def of(cls, prepared: Prepared, sizes: Sizes) -> Self:
        """Take the training images of a recipe."""
        return cls(prepared.train, sizes.min_count, prepared.vocabulary)

    def __len__(self) -> int:
        return len(self.examples)

    def of_rows(self, rows: Sequence[int]) -> Self:
        """Return the targets of some of the images, with the same phrases and rarities."""
        part = copy.copy(self)
        part.examples = [self.examples[row] for row in rows]
        return part

    def rows(self, examples: Sequence[CaptionExample | MultitaskExample]) -> Floats:
        """Return the targets [m, P] of images; zeros where an image has no caption."""
        found = np.zeros((len(examples), len(self._places)), np.float32)
        for row, example in zip(found, examples, strict=True):
            for sentence in example.sentences:
                for gram, weight in self._cider.weights(sentence).items():
                    if (place := self._places.get(gram)) is not None:
                        row[place] += weight / len(example.sentences)
        return found


def fit(maps: Sequence[Any], targets: Targets, sizes: Sizes) -> Fitted:
    """Return the fit to the targets' images, each version [M, D]; a chunk of targets is in memory at a time."""
    centre, spread = _moments(maps)
    depth = len(centre)
    inner = np.zeros((depth, depth))
    outer, total = np.zeros((depth, len(targets.rarities))), np.zeros(len(targets.rarities))
    for start in range(0, len(targets), CHUNK):
        end = min(start + CHUNK, len(targets))
        wanted = targets.rows(targets.examples[start:end])
        total += wanted.sum(0)
        for view in maps:
            seen = (np.asarray(view[start:end], np.float32) - centre) / spread
            inner += seen.T @ seen
            outer += seen.T @ wanted
    count = len(targets)
    inner, outer = inner / (len(maps) * count), outer / (len(maps) * count)
    lower = np.linalg.cholesky(inner + sizes.ridge * np.trace(inner) / count * np.eye(depth))
    explained = np.linalg.solve(lower, outer)
    _, directions = np.linalg.eigh(explained @ explained.T)
    kept = directions[:, ::-1][:, : sizes.rank]
    return Fitted(
        centre=centre,
        spread=spread,
        first=np.linalg.solve(lower.T, kept).astype(np.float32),
        second=(kept.T @ explained).astype(np.float32),
        bias=(total / count).astype(np.float32),
    )


def _moments(maps: Sequence[Any]) -> tuple[Floats, Floats]:
    """Return the mean [D] and the standard deviation [D] over all versions."""
    count = sum(len(view) for view in maps)
    chunks = [np.asarray(view[at : at + CHUNK], np.float64) for view in maps for at in range(0, len(view), CHUNK)]
    mean = sum(chunk.sum(0) for chunk in chunks) / count
    variance = sum(((chunk - mean) ** 2).sum(0) for chunk in chunks) / count
    floor = LEAST_VARIANCE * variance.mean() + EPSILON
    return mean.astype(np.float32), np.sqrt(variance + floor).astype(np.float32)


def loss(wanted: Any, found: Any, written: Any) -> Any:
    """Return the squared error over all phrases [B, P], averaged over the images that have captions: written [B]."""
    known = tf.cast(written, found.dtype)
    each = tf.reduce_sum(tf.square(tf.cast(wanted, found.dtype) - found), -1)
    return tf.reduce_sum(each * known) / tf.maximum(tf.reduce_sum(known), 1.0)


def _run(context: Context) -> None:
    if context.recipe.phrases is not None:
        train(context.recipe, context.recipe.phrases, context.prepared, context.run)


STAGE: Final = Stage(
    name="phrases",
    needs=("finetuning",),
    is_wanted=lambda context: context.recipe.phrases is not None,
    is_done=lambda _: False,  # whether it fits the encoder shows in the features alone; `train` leaves a fit as it is
    run=_run,
)
