"""Exports a trained run for the converter: a SavedModel for each part, the vocabulary, and `export.json`.

Dimensions: B beam, N cells, D numbers a cell, K attention, C context, S state, V words.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np
import tensorflow as tf

from contract import bundle, phrases, vocabulary
from contract.phrases import Phrase
from trainer.data.prepare import Prepared
from trainer.models.decoder import Decoder
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import feature_cache
from trainer.training.stages import captioner as captioning
from trainer.training.stages import detector, hazard_classifier
from trainer.training.stages import phrase_predictor as expected

REPRESENTATIVE: Final = 400
"""Images named for calibration, drawn by the recipe's seed."""


EVEN: Final = 0.5
"""Evidence at which each danger may be named and from which rules may alarm, whatever the model."""


class Representative(msgspec.Struct, frozen=True):
    """Images to calibrate int8 ranges on."""

    images: tuple[str, ...]


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """`export.json`."""

    name: str
    version: str
    language: str
    input: bundle.Input
    decoding: bundle.Decoding
    detection: bundle.Detection | None
    hazards: dict[str, tuple[str, ...]]
    evidence: dict[str, float]
    """Least evidence at which each danger may be named; empty where the run has none."""
    licences: tuple[bundle.Licence, ...]
    commands: tuple[str, ...]
    """Commands that made it."""
    representative: Representative
    known_failures: tuple[str, ...]
    data: tuple[str, ...]
    """What it was trained on, with counts."""


def write(recipe: Recipe, prepared: Prepared, run: RunDir, out: Path, *, commands: Sequence[str]) -> None:
    """Write the export; raises `CheckpointError` where something is not trained yet."""
    encoder = feature_cache.build_encoder(feature_cache.tuned(recipe.encoder, run))
    shapes = {name: tuple(output.shape[1:]) for name, output in encoder.output.items()}
    captioner = captioning.load(recipe, prepared.vocabulary, shapes["cells"][-1], run)
    out.mkdir(parents=True, exist_ok=True)
    _save(out / "encoder", _encoder(encoder, recipe))
    hazard_network: keras.Model | None = None
    limits: dict[str, float] = {}
    if recipe.hazard_classifier is not None:
        hazard_network, limits = hazard_classifier.load(recipe, prepared, shapes["cells"][-1], run)
    phrase_network: keras.Model | None = None
    rarities: dict[Phrase, float] = {}
    if recipe.phrases is not None:
        phrase_network, rarities = expected.load(prepared, recipe.phrases, 2 * shapes["cells"][-1], run)
    _save(
        out / "decoder_init",
        _decoder_init(captioner, hazard_network, list(limits.values()), phrase_network, shapes["cells"]),
    )
    _write_phrases(out / "phrases.txt", rarities, prepared)
    even = dict.fromkeys(limits, EVEN)
    _save(out / "decoder_step", _decoder_step(captioner, recipe, shapes["cells"][0]))
    if recipe.detector is not None:
        empty = {name: tf.zeros((1, *shape)).numpy() for name, shape in shapes.items()}
        _save(out / "detector", _detector(detector.load(recipe.detector, empty, run), shapes))
    (out / "vocabulary.txt").write_text(vocabulary.dump(prepared.vocabulary), encoding="utf-8")
    description = msgspec.json.encode(_describe(recipe, prepared, even, commands))
    (out / "export.json").write_bytes(msgspec.json.format(description, indent=2) + b"\n")


@dataclass(frozen=True, slots=True)
class CaptionerParts:
    """What a bundle's captioner consists of, without its encoder."""

    decoder: Decoder
    phrases: keras.Model
    rarities: dict[Phrase, float]
    vocabulary: vocabulary.Vocabulary
    cells: tuple[int, int]
    """Number of cells, and of numbers a cell."""
    hazards: keras.Model | None = None
    """The classifier whose thresholds are one half, where the bundle's decoder has one."""


def write_captioner(out: Path, recipe: Recipe, parts: CaptionerParts) -> None:
    """Write the SavedModels of a decoder, its phrases and its vocabulary."""
    out.mkdir(parents=True, exist_ok=True)
    limits = [EVEN] * (0 if parts.hazards is None else parts.hazards.output_shape[-1])
    _save(out / "decoder_init", _decoder_init(parts.decoder, parts.hazards, limits, parts.phrases, parts.cells))
    _save(out / "decoder_step", _decoder_step(parts.decoder, recipe, parts.cells[0]))
    (out / "phrases.txt").write_text(phrases.dump(parts.rarities, parts.vocabulary), encoding="utf-8")
    (out / "vocabulary.txt").write_text(vocabulary.dump(parts.vocabulary), encoding="utf-8")


def _encoder(model: keras.Model, recipe: Recipe) -> tf.Module:
    spec = tf.TensorSpec((None, recipe.encoder.height, recipe.encoder.width, 3), tf.float32, "image")
    return _served(model, lambda image: model(image, training=False), [spec])


def _detector(network: keras.Model, shapes: dict[str, tuple[int, ...]]) -> tf.Module:
    def detect(c3: tf.Tensor, c4: tf.Tensor, cells: tf.Tensor) -> dict[str, tf.Tensor]:
        found = network({"c3": c3, "c4": c4, "cells": cells}, training=False)
        return {"boxes": found["boxes"], "scores": tf.sigmoid(found["odds"])}

    specs = [tf.TensorSpec((None, *shapes[name]), tf.float32, name) for name in detector.MAPS]
    return _served(network, detect, specs)


def _write_phrases(path: Path, rarities: dict[Phrase, float], prepared: Prepared) -> None:
    if rarities:
        path.write_text(phrases.dump(rarities, prepared.vocabulary), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)  # of an export that stood here before


def _decoder_init(
    model: Decoder,
    hazard_network: keras.Model | None,
    limits: Sequence[float],
    phrase_network: keras.Model | None,
    cells: tuple[int, ...],
) -> tf.Module:
    """Return what prepares the decoder; each hazard's log-odds are shifted so that its threshold becomes 0.5."""
    shares = np.array(limits, np.float64)
    moved = np.log(shares / (1 - shares)).astype(np.float32)

    def look(cells: tf.Tensor) -> dict[str, tf.Tensor]:
        keys, values, state = model.look(cells)
        start = {"keys": keys, "values": values, "state": state}
        pooled = feature_cache.pooled(cells)
        if hazard_network is not None:
            start["evidence"] = tf.sigmoid(hazard_network(pooled, training=False) - moved)
        if phrase_network is not None:
            start["expected"] = phrase_network(pooled, training=False)
        return start

    return _served([model, hazard_network, phrase_network], look, [tf.TensorSpec((None, *cells), tf.float32, "cells")])


def _decoder_step(model: Decoder, recipe: Recipe, count: int) -> tf.Module:
    def step(tokens: tf.Tensor, state: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) -> dict[str, tf.Tensor]:
        embedded = model.embedding(tokens)
        gates = model.token_gates(embedded)[None]
        context, moved, attention = model.step(gates, state[None], keys, values)
        odds = model.say(moved[0], context[0], embedded)
        return {"log_probs": tf.nn.log_softmax(odds), "next_state": moved[0], "attention": attention[0]}

    sizes = recipe.decoder
    specs = [
        tf.TensorSpec((None,), tf.int32, "tokens"),
        tf.TensorSpec((None, sizes.state), tf.float32, "state"),
        tf.TensorSpec((1, count, sizes.attention), tf.float32, "keys"),
        tf.TensorSpec((1, count, sizes.context), tf.float32, "values"),
    ]
    return _served(model, step, specs)


def _served(owner: Any, function: Callable[..., dict[str, tf.Tensor]], specs: list[tf.TensorSpec]) -> tf.Module:
    """Return a module whose `serve` is the function; it references the variables' owner."""
    module = tf.Module()
    module.owner = owner
    module.serve = tf.function(function).get_concrete_function(*specs)
    return module


def _save(folder: Path, module: tf.Module) -> None:
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})


def _describe(recipe: Recipe, prepared: Prepared, limits: dict[str, float], commands: Sequence[str]) -> Description:
    drawn = random.Random(recipe.seed)  # noqa: S311 - a repeatable choice of images, no secret
    examples = [str(example.path) for example in prepared.train]
    detection = None
    if recipe.detector is not None:
        detection = bundle.Detection(classes=recipe.detector.classes, score_threshold=recipe.detector.score_threshold)
    return Description(
        name=recipe.name,
        version=recipe.version,
        language=recipe.language,
        input=bundle.Input(recipe.encoder.height, recipe.encoder.width),
        decoding=recipe.decoding,
        detection=detection,
        hazards=prepared.terms,
        evidence=limits,
        licences=recipe.data.licences,
        commands=tuple(commands),
        representative=Representative(tuple(drawn.sample(examples, min(REPRESENTATIVE, len(examples))))),
        known_failures=recipe.known_failures,
        data=counts(recipe, prepared),
    )


def counts(recipe: Recipe, prepared: Prepared) -> tuple[str, ...]:
    names = [*(source.name for source in recipe.data.captions), *(source.name for source in recipe.data.hazards)]
    counts = {name: [p for p in prepared.train if p.dataset == name] for name in names}
    lines = [
        f"{name}: {len(examples)} images, {sum(len(p.sentences) for p in examples)} sentences"
        for name, examples in counts.items()
    ]
    if prepared.boxes_train:
        boxes = sum(len(example.boxes) for example in prepared.boxes_train)
        lines.append(f"boxes: {len(prepared.boxes_train)} images, {boxes} boxes")
    return tuple(lines)
