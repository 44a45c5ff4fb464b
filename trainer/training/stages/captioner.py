"""Trains the captioner by maximum likelihood."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np

from contract.bundle import Decoding
from contract.vocabulary import Vocabulary
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.distribution import SINGLE_REPLICA, Replicas, of_whole_batch
from trainer.errors import CheckpointError, first_line
from trainer.metrics import CiderD, bleu
from trainer.models import beam_search, decoder
from trainer.recipe.recipe import Recipe, Training
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint, feature_cache
from trainer.training.augmentation import AugmentedImage
from trainer.training.caption_batches import CaptionBatches, CaptionFeatures
from trainer.training.feature_cache import FeatureRequest
from trainer.training.stage import Context, Stage

GREEDY = Decoding(beam_width=1, length_penalty=0.0)
"""Search of captions between epochs."""


def load_features(recipe: Recipe, prepared: Prepared, run: RunDir) -> tuple[CaptionFeatures, CaptionFeatures]:
    """Return the train and val images with their features, encoding what is not on disk yet."""

    encoder = feature_cache.tuned(recipe.encoder, run)

    def encoded(name: str, examples: Sequence[CaptionExample], *, mirrored: bool = False) -> Any:
        images = [AugmentedImage(example.path, mirrored=mirrored) for example in examples]
        return feature_cache.cached(run.features, encoder, FeatureRequest(name, images, ("cells",)))["cells"]

    val = CaptionFeatures(prepared.val, (encoded("captions-val", prepared.val),))
    maps = [encoded("captions-train", prepared.train)]
    if recipe.encoder.flips:
        maps.append(encoded("captions-train-mirrored", prepared.train, mirrored=True))
    return CaptionFeatures(prepared.train, tuple(maps)), val


def build(recipe: Recipe, vocabulary: Vocabulary, cell_size: int) -> decoder.Decoder:
    """Build the decoder with its variables, D = `cell_size`."""
    model = decoder.Decoder(len(vocabulary), msgspec.to_builtins(recipe.decoder), name="decoder")
    model((np.zeros((1, 1, cell_size), np.float32), np.zeros((1, 1, recipe.decoder.max_tokens), np.int32)))
    return model


def load(recipe: Recipe, vocabulary: Vocabulary, cell_size: int, run: RunDir) -> decoder.Decoder:
    """Build the decoder with the best weights of a run; raises `CheckpointError` where there are none that fit."""
    return load_from(recipe, vocabulary, cell_size, run.best_captioner)


def load_from(recipe: Recipe, vocabulary: Vocabulary, cell_size: int, path: Path) -> decoder.Decoder:
    """Build the decoder with the weights of a file; raises `CheckpointError` where it is not there or does not fit."""
    model = build(recipe, vocabulary, cell_size)
    try:
        model.load_weights(path)
    except (FileNotFoundError, ValueError, OSError) as error:
        wanted = f"no captioner of this recipe and vocabulary ({len(vocabulary)} words)"
        raise CheckpointError(f"{path}: {wanted}; train it first: {first_line(error)}") from error
    return model


def train(recipe: Recipe, prepared: Prepared, run: RunDir, replicas: Replicas = SINGLE_REPLICA) -> None:
    """Train until the validation CIDEr no longer rises; a killed run goes on at its last whole epoch."""
    replicas.check(recipe.training.batch_size, "training.batch_size")
    keras.utils.set_random_seed(recipe.seed)
    train_set, val_set = replicas.chief_first(lambda: load_features(recipe, prepared, run))
    batches = CaptionBatches(train_set, prepared.vocabulary, recipe, shuffled=True)
    steps = len(batches) * recipe.training.epochs
    with replicas.scope(), precision(recipe.training):
        model = build(recipe, prepared.vocabulary, train_set.maps[0].shape[-1])
        model.compile(
            optimizer=optimizer(recipe.training, steps),
            loss=decoder.masked_loss(recipe.training.label_smoothing),
        )
    measure = scorer(model, val_set, prepared.vocabulary, recipe)
    judged = CaptionBatches(val_set, prepared.vocabulary, recipe, shuffled=False)
    patience, epochs = recipe.training.patience, recipe.training.epochs
    keep = checkpoint.KeepBest(run.captioner, measure, monitor="cider", patience=patience, validation=judged)
    checkpoint.fit(model, batches, run, "captioner", keep, epochs=epochs, replicas=replicas, validation_data=judged)


@contextlib.contextmanager
def precision(training: Training) -> Iterator[None]:
    """Build the networks inside in the recipe's precision; the encoder and the detector stay in float32."""
    before = keras.config.dtype_policy()
    kind = "bfloat16" if training.mixed_precision is True else training.mixed_precision
    keras.config.set_dtype_policy(f"mixed_{kind}" if kind else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def optimizer(training: Training, steps: int) -> Any:
    """Return the recipe's optimizer: warm-up, then a cosine to a hundredth (Loshchilov and Hutter 2017)."""
    rate = keras.optimizers.schedules.CosineDecay(
        training.learning_rate * 0.01,
        max(1, round(steps * (1 - training.warmup))),
        alpha=0.01,
        warmup_target=training.learning_rate,
        warmup_steps=max(1, round(steps * training.warmup)),
    )
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "nadam": keras.optimizers.Nadam,
        "adamax": keras.optimizers.Adamax,
        "sgd": keras.optimizers.SGD,
    }
    momentum = checkpoint.ema_momentum(training.ema_momentum, steps)
    averaging = {"use_ema": True, "ema_momentum": momentum} if training.ema_momentum else {}
    scaled = training.mixed_precision == "float16"
    kind = kinds[training.optimizer] if scaled else of_whole_batch(kinds[training.optimizer])
    made = kind(rate, weight_decay=training.weight_decay, global_clipnorm=training.clip_norm, **averaging)
    return of_whole_batch(keras.optimizers.LossScaleOptimizer)(made) if scaled else made


def scorer(
    model: decoder.Decoder, cached: CaptionFeatures, vocabulary: Vocabulary, recipe: Recipe
) -> Callable[[], dict[str, float]]:
    """Return a function that captions validation images and scores them; hazard scenes count by their own share."""
    rows = [row for row, example in enumerate(cached.examples) if not example.label]
    rows = (rows or list(range(len(cached.examples))))[: recipe.training.score_images]
    hazards = [row for row, example in enumerate(cached.examples) if example.label and example.sentences]
    references = [cached.examples[row].sentences for row in rows]
    cider = CiderD(references)

    def measure() -> dict[str, float]:
        spoken = list(beam_search.captions(model, cached.maps[0][rows], vocabulary, GREEDY))
        scores = bleu(spoken, references)
        named = {f"bleu_{number}": score for number, score in enumerate(scores, 1)}
        exact = _template_share(model, cached, hazards, vocabulary)
        return {**named, "cider": cider.cached(spoken, references), "hazard_sentences": exact}

    return measure


def _template_share(model: decoder.Decoder, cached: CaptionFeatures, rows: list[int], vocabulary: Vocabulary) -> float:
    """Return the share of hazard scenes whose caption is word for word one of the sentences written for their label."""
    if not rows:
        return 0.0
    spoken = beam_search.captions(model, cached.maps[0][rows], vocabulary, GREEDY)
    met = [tuple(words) in cached.examples[row].sentences for row, words in zip(rows, spoken, strict=True)]
    return float(np.mean(met))


def changed(recipe: Recipe, *, training: dict[str, Any]) -> Recipe:
    """Return the recipe with some fields of `training` replaced."""
    return msgspec.structs.replace(recipe, training=msgspec.structs.replace(recipe.training, **training))


def is_superseded(context: Context) -> bool:
    """Return whether fine-tuning has begun, or starts from another run or from a bundle: earlier stages are over."""
    settings = context.recipe.finetuning
    return settings is not None and (settings.start is not None or context.run.encoder.exists())


def _is_done(context: Context) -> bool:
    training, run = context.recipe.training, context.run
    return checkpoint.is_finished(run, "captioner", run.captioner, training.epochs, training.patience)


STAGE: Final = Stage(
    name="captioner",
    needs=(),
    is_wanted=lambda context: not is_superseded(context),
    is_done=_is_done,
    run=lambda context: train(context.recipe, context.prepared, context.run, context.replicas),
    is_shared=True,
)
