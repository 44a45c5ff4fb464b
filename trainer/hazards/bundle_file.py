"""Writes the classifier as `hazard_classifier.tflite` into a bundle, with the thresholds in the manifest.

The manifest asks for one half of every danger, whatever the model: each danger's log-odds are moved so that its
threshold becomes one half. Of a weapon, one of `gun`, `knife` and `weapon` has the log-odds of being armed, and the
others less: the kind is named where the classifier is sure of it, and else it is a weapon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import tensorflow as tf

from contract import bundle
from contract.bundle import Manifest, Motion, MotionHead, OwnCalm
from edge.infer import runtime, self_test
from trainer.errors import CheckpointError
from trainer.hazards import card
from trainer.hazards.choosing import Choice
from trainer.hazards.fitting import FURTHEST, Network, Scale
from trainer.hazards.recipe import DANGERS, HazardRecipe

FILE: Final = "hazard_classifier.tflite"

EVEN: Final = 0.5
"""Evidence from which a danger counts, whatever the model."""

SURE: Final = 1.4
"""Log-odds of the kind of a weapon from which it is named: four in five."""

UNSURE_COSTS: Final = 3.0
"""Log-odds that a kind loses for each by which the classifier is less sure of it, and a weapon for each it is surer."""

KINDS: Final = ("gun", "knife")
WEAPON: Final = "weapon"


@dataclass(frozen=True, slots=True)
class Classifier:
    """What was learnt, and from which log-odds each danger counts."""

    network: Network
    scale: Scale
    chosen: Mapping[str, Choice]
    any_danger: Mapping[str, float]
    """Share of each source's calm frames that raise any danger."""
    heads: Mapping[str, MotionHead] = field(default_factory=dict)
    """How movement counts for dangers."""


def write(folder: Path, classifier: Classifier, recipe: HazardRecipe, now: datetime) -> Manifest:
    """Write classifier and manifest; raises `CheckpointError` where the bundle weighs a danger that is not learnt."""
    manifest = bundle.load(folder)
    unknown = set(manifest.hazards) - {*ALL}
    if unknown:
        raise CheckpointError(f"{folder}: weighs {min(unknown)!r}, which this classifier does not learn")
    terms = tuple(manifest.hazards)
    cells = tf.TensorSpec((1, *_cells(folder, manifest)), tf.float32, "cells")
    (folder / FILE).write_bytes(model(classifier, terms, cells))
    files = {**manifest.files, "hazard_classifier": bundle.describe(folder / FILE, "dynamic-range int8")}
    weapons = {term: recipe.crop_weight for term in terms if term in {*KINDS, WEAPON}}
    own = {
        term: OwnCalm(floor=_floor(classifier.chosen[danger_of(term)]), quantile=recipe.bounds.quantile)
        for term in terms
    }
    renewed = msgspec.structs.replace(
        manifest,
        version=recipe.version,
        created_at=now.replace(microsecond=0),
        files=dict(sorted(files.items(), key=lambda item: _ORDER.index(item[0]))),
        evidence=dict.fromkeys(terms, EVEN),
        crop_evidence={},
        crop_weight=weapons,
        own_calm=own,
        motion=_motion(classifier, recipe, terms),
        licences=(*manifest.licences, *(one for one in recipe.licences if one not in manifest.licences)),
    )
    path = folder / files["card"].name
    text = card.renew(path.read_text(encoding="utf-8"), renewed, classifier.chosen, classifier.any_danger)
    path.write_text(text, encoding="utf-8")
    renewed.files["card"] = bundle.describe(path)
    bundle.write(folder, renewed)
    try:
        return self_test.write(folder)
    except self_test.SelfTestFailed as error:
        raise CheckpointError(f"{folder}: fails its self-test: {error}") from error


def _motion(classifier: Classifier, recipe: HazardRecipe, terms: Sequence[str]) -> Motion | msgspec.UnsetType:
    falls = {danger: odds for danger, odds in recipe.movement.falls.items() if danger in terms}
    flow = {danger: head for danger, head in classifier.heads.items() if danger in terms}
    return Motion(flow=flow, falls=falls) if flow or falls else msgspec.UNSET


def danger_of(term: str) -> str:
    """Return the danger whose threshold a term of the bundle has."""
    return "armed" if term in {*KINDS, WEAPON} else term


def model(classifier: Classifier, terms: Sequence[str], cells: tf.TensorSpec) -> bytes:
    """Convert the classifier: cells [1, N, D] -> evidence [1, H], in the order of the bundle's terms."""
    network, scale, chosen = classifier.network, classifier.scale, classifier.chosen
    weights = {name: tf.constant(np.asarray(getattr(network, name), np.float32)) for name in network.__slots__}
    mean, spread = (tf.constant(np.asarray(part, np.float32)) for part in (scale.mean, scale.spread))

    def weigh(cells: Any) -> dict[str, Any]:
        scaled = tf.clip_by_value((tf.reduce_max(cells, 1) - mean) / spread, -FURTHEST, FURTHEST)
        hidden = tf.nn.relu(scaled @ weights["first"] + weights["first_bias"])
        odds = scaled @ weights["linear"] + weights["bias"] + hidden @ weights["second"]
        return {"evidence": tf.sigmoid(tf.stack([_moved(odds, term, chosen) for term in terms], 1))}

    module = tf.Module()
    module.serve = tf.function(weigh, input_signature=[cells])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    data: bytes = converter.convert()
    return data


def _moved(odds: Any, term: str, chosen: Mapping[str, Choice]) -> Any:
    danger = danger_of(term)
    found = odds[:, DANGERS.index(danger)] - chosen[danger].threshold
    if danger == term:
        return found
    sure = [odds[:, DANGERS.index(kind)] - SURE for kind in KINDS]
    if term == WEAPON:
        return found - UNSURE_COSTS * tf.nn.relu(tf.maximum(*sure))
    return found - UNSURE_COSTS * tf.nn.relu(-sure[KINDS.index(term)])


def _floor(choice: Choice) -> float:
    return round(float(1 / (1 + np.exp(choice.threshold - choice.floor))), 3)


def _cells(folder: Path, manifest: Manifest) -> tuple[int, int]:
    _, cells, depth = runtime.load(folder / manifest.files["encoder"].name).outputs["cells"].shape
    return cells, depth


ALL: Final = (*KINDS, WEAPON, *(danger for danger in DANGERS if danger not in {*KINDS, "armed"}))

_ORDER: Final = (
    "encoder",
    "decoder_init",
    "decoder_step",
    "detector",
    "hazard_classifier",
    "vocabulary",
    "phrases",
    "card",
)
