"""The hazard classifier: evidence of each hazard in an image, which a caption needs to name the hazard.

The sentences written from labels are few and alike, which makes them cheap for a captioner to say; a small classifier
on the same cells keeps it from saying them of any image that puzzles it.
Dimensions: M images, N cells, D numbers a cell, H dangers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np
import numpy.typing as npt
from keras import layers

from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.errors import CheckpointError, first_line
from trainer.recipe.recipe import HazardClassifier as Sizes
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint, thresholds
from trainer.training.caption_batches import CaptionFeatures
from trainer.training.stage import Context, Stage
from trainer.training.stages import captioner

Floats = npt.NDArray[np.float32]

CHUNK: Final = 256
"""Images pooled at once: 64 MB of features."""


def build(cell_size: int, dangers: int, sizes: Sizes) -> Any:
    """Build the classifier: pooled cells [M, 2D] (mean, then maximum) -> log-odds [M, H]."""
    pooled = keras.Input((2 * cell_size,), name="pooled")
    x = layers.LayerNormalization(name="norm")(pooled)
    x = layers.Dropout(sizes.dropout)(x)
    x = layers.Dense(sizes.width, activation="relu", name="hidden")(x)
    x = layers.Dropout(sizes.dropout)(x)
    return keras.Model(pooled, layers.Dense(dangers, name="odds")(x), name="evidence")


def train(recipe: Recipe, sizes: Sizes, prepared: Prepared, run: RunDir) -> None:
    """Train the classifier and choose its limits on the validation images; a minute, so a killed run begins anew."""
    keras.utils.set_random_seed(recipe.seed)
    train_set, val_set = captioner.load_features(recipe, prepared, run)
    dangers = list(prepared.terms)
    pooled = np.concatenate([pool(view) for view in train_set.maps])
    truth, known = targets(train_set.examples, prepared.terms)
    copies = len(train_set.maps)
    model = build(pooled.shape[-1] // 2, len(dangers), sizes)
    steps = -(-len(pooled) // sizes.batch_size) * sizes.epochs
    rate = keras.optimizers.schedules.CosineDecay(sizes.learning_rate, steps)
    loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.02),
        lambda wanted, odds: loss(wanted[..., :1], odds[..., None]) * wanted[..., 1],
    )
    wanted = np.tile(np.stack([truth, known], -1), (copies, 1, 1))
    model.fit(pooled, wanted, batch_size=sizes.batch_size, epochs=sizes.epochs, verbose=checkpoint.verbosity())
    checkpoint.save_weights(model, run.evidence)
    chosen = thresholds.choose(probabilities(model, val_set), val_set.examples, dangers, sizes.false_positive_rate)
    checkpoint.write_bytes(msgspec.json.encode(chosen), run.evidence.with_suffix(".json"))


def load(recipe: Recipe, prepared: Prepared, cell_size: int, run: RunDir) -> tuple[Any, dict[str, float]]:
    """Return the classifier of a run and each danger's limit; raises `CheckpointError` where none fits."""
    sizes = recipe.hazard_classifier or Sizes()
    model = build(cell_size, len(prepared.terms), sizes)
    limits_path: Path = run.best_evidence.with_suffix(".json")
    try:
        model.load_weights(run.best_evidence)
        chosen = msgspec.json.decode(limits_path.read_bytes(), type=dict[str, float])
    except (FileNotFoundError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{run.best_evidence}: no evidence of this recipe; train it first: {first_line(error)}"
        ) from error
    return model, chosen


def pool(cells: Any) -> Floats:
    """Return the mean and the maximum over the cells: [M, N, D] -> [M, 2D]."""
    chunks = [np.asarray(cells[at : at + CHUNK], np.float32) for at in range(0, len(cells), CHUNK)]
    return np.concatenate([np.concatenate([chunk.mean(1), chunk.max(1)], 1) for chunk in chunks])


def targets(examples: Sequence[CaptionExample], terms: dict[str, tuple[str, ...]]) -> tuple[Floats, Floats]:
    """Return what is there [M, H], and what is known [M, H], each 0 or 1.

    A labelled scene shows its label and no other danger. What people wrote tells nothing of a danger that they named.
    """
    truth = np.array([[example.label == term for term in terms] for example in examples], np.float32)
    named = [[not example.label and _names(example, words) for words in terms.values()] for example in examples]
    return truth, 1 - np.array(named, np.float32)


def probabilities(model: Any, cached: CaptionFeatures) -> Floats:
    """Return the probability of each danger for each image as taken: [M, H]."""
    odds = np.asarray(model.predict(pool(cached.maps[0]), batch_size=CHUNK, verbose=0), np.float32)
    return (1 / (1 + np.exp(-odds))).astype(np.float32)


def _names(example: CaptionExample, expressions: Sequence[str]) -> bool:
    texts = [f" {' '.join(sentence)} " for sentence in example.sentences]
    return any(f" {expression} " in text for text in texts for expression in expressions)


def _run(context: Context) -> None:
    if context.recipe.hazard_classifier is not None:
        train(context.recipe, context.recipe.hazard_classifier, context.prepared, context.run)


STAGE: Final = Stage(
    name="hazards",
    needs=(),
    is_wanted=lambda context: context.recipe.hazard_classifier is not None and context.recipe.finetuning is None,
    is_done=lambda _: False,  # it takes a minute and is trained anew each time
    run=_run,
)
