"""Fine-tuning with captions and nothing else: heads without data are left out, or kept as a bundle has them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import yaml

from tests.trainer import small_data
from tests.trainer.workstation import ROOT
from trainer import export
from trainer.data import prepare
from trainer.distribution import SINGLE_REPLICA
from trainer.errors import RecipeError
from trainer.models import bundle_weights
from trainer.recipe import initial_bundle
from trainer.recipe import recipe as recipes
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import feature_cache
from trainer.training.stage import Context
from trainer.training.stages import hazard_classifier, joint_finetuning

pytestmark = [
    # Keras 3.15 writes weights as NumPy 1 had it.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"),
]

BUNDLE = ROOT / "models" / "wordcam-1"
CLASSES = ["person", "gun", "weapon", "fire", "smoke"]
SETTINGS: dict[str, Any] = {"epochs": 1, "batch_size": 4, "captions_per_image": 1, "augmentations": 2}


def train(recipe: Recipe, run: RunDir) -> Context:
    """Fine-tune, eagerly: a few steps are quicker than the tracing of one."""
    context = Context(recipe, prepare.gather(recipe), run, SINGLE_REPLICA)
    run.folder.mkdir()
    tf.config.run_functions_eagerly(True)
    try:
        joint_finetuning.STAGE.run(context)
    finally:
        tf.config.run_functions_eagerly(False)
    return context


def test_heads_without_data_are_kept_as_the_bundle_has_them(tmp_path: Path) -> None:
    recipe = small_data.recipe(
        tmp_path,
        train=4,
        val=2,
        encoder={"height": 256, "width": 256, "batch_size": 4},
        decoder={},
        hazard_classifier={},
        finetuning={**SETTINGS, "start": str(BUNDLE)},
    )
    recipe = with_detector(recipe, tmp_path, CLASSES)
    context, run = train(recipe, RunDir(tmp_path / "run")), RunDir(tmp_path / "run")
    bundle = initial_bundle.load(BUNDLE)

    network, thresholds = hazard_classifier.load(recipe, context.prepared, 1280, run)
    theirs = bundle_weights.network(bundle, "decoder_init").layers["odds"]
    encoder = feature_cache.build_encoder(feature_cache.tuned(recipe.encoder, run))
    fresh = feature_cache.build_encoder(recipe.encoder)
    bundle_weights.encoder(bundle, fresh, frozenset())

    assert thresholds == bundle.manifest.evidence
    assert context.prepared.terms == bundle.manifest.hazards
    np.testing.assert_array_equal(network.get_layer("odds").get_weights()[0], theirs.kernel)
    np.testing.assert_array_equal(*(each.get_layer("head_conv").get_weights()[0] for each in (encoder, fresh)))
    assert set(bundle.words.words) <= set(context.prepared.vocabulary.words)


def with_detector(recipe: Recipe, folder: Path, classes: list[str]) -> Recipe:
    """Ask for a detector without naming any boxes."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"detector": {"classes": classes}}))
    assert recipe.detector is None
    return recipes.load(path)


def test_heads_that_are_not_asked_for_are_left_out(tmp_path: Path) -> None:
    recipe = small_data.recipe(
        tmp_path,
        train=4,
        val=2,
        encoder={"height": 32, "width": 32, "batch_size": 4},
        finetuning={**SETTINGS, "epochs": 3},
    )
    run = RunDir(tmp_path / "run")

    context = train(recipe, run)
    export.write(recipe, context.prepared, run, tmp_path / "exported", commands=["typed"])

    assert run.part("captioner").exists()
    assert not run.part("evidence").exists()
    assert not run.part("detector").exists()
    assert not (tmp_path / "exported" / "detector").exists()
    tuned = feature_cache.build_encoder(feature_cache.tuned(recipe.encoder, run)).get_layer("head_conv").get_weights()
    before = feature_cache.build_encoder(recipe.encoder).get_layer("head_conv").get_weights()
    assert np.abs(tuned[0] - before[0]).max() > 0


@pytest.mark.parametrize(
    ("sections", "complaint"),
    [
        ({"hazard_classifier": {}}, "hazard_classifier: data.hazards has nothing to train it on; leave it out"),
        (
            {"detector": {"classes": ["person"]}, "finetuning": {"start": str(BUNDLE)}},
            r"detector.classes: must be those of .*wordcam-1, which are kept: \[person, gun",
        ),
        (
            {"hazard_classifier": {}, "finetuning": {"start": str(BUNDLE)}},
            "encoder.height, encoder.width: must be 256, 256, as",
        ),
        ({"language": "ko", "finetuning": {"start": str(BUNDLE)}}, "language: ko is not the language of .*wordcam-1"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_is_right(
    tmp_path: Path, sections: dict[str, Any], complaint: str
) -> None:
    small_data.recipe(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | sections))

    with pytest.raises(RecipeError, match=complaint):
        prepare.gather(recipes.load(path))
