"""The encoder's later layers, tuned together with everything that reads its maps."""

import csv
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from contract.vocabulary import PAD
from tests.trainer import small_data
from trainer.data import prepare
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.distribution import SINGLE_REPLICA
from trainer.errors import CheckpointError
from trainer.recipe.recipe import Finetuning, Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import feature_cache, multitask_examples
from trainer.training.augmentation import AugmentedImage
from trainer.training.multitask_batches import MultitaskBatches
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.stage import Context
from trainer.training.stages import captioner, detector, hazard_classifier, joint_finetuning, phrase_predictor

pytestmark = [
    # Keras 3.15 writes weights as NumPy 1 had it.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"),
]

SECTIONS: dict[str, Any] = {
    "encoder": {"height": 32, "width": 32, "weights": "imagenet", "batch_size": 4},
    "hazard_classifier": {"width": 8, "dropout": 0.0},
    "phrases": {"min_count": 2, "rank": 4, "ridge": 10.0},
    "detector": {"classes": ["wall", "fire"], "width": 8, "batch_size": 4},
    "training": {"batch_size": 4, "score_images": 4},
    "tuning": {
        "epochs": 4,
        "batch_size": 4,
        "captions_per_image": 1,
        "augmentations": 2,
        "learning_rate": 1e-3,
        "ema_momentum": 0.5,
        "phrases_weight": 0.01,  # four colours are few: a step moves the cells by more than their differences
    },
}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Prepared, RunDir]:
    """A run that has tuned on coloured walls; to be looked at only."""
    folder = tmp_path_factory.mktemp("tuned")
    recipe = small_data.recipe(folder, hazards=4, **SECTIONS)
    prepared, run = prepare.gather(recipe), RunDir(folder / "run")
    run.folder.mkdir()
    assert recipe.finetuning is not None
    tf.config.run_functions_eagerly(True)  # six steps are quicker than the tracing of one
    try:
        joint_finetuning.train(recipe, recipe.finetuning, prepared, run)
    finally:
        tf.config.run_functions_eagerly(False)
    return recipe, prepared, run


def test_every_part_learns(tuned: tuple[Recipe, Prepared, RunDir]) -> None:
    _, _, run = tuned
    rows = list(csv.DictReader(run.log("finetuning").read_text().splitlines()))

    for part in ("speech", "evidence", "boxes"):
        first, *later = (float(row[part]) for row in rows)
        assert min(later) < first, part  # each epoch draws other images
    assert {"phrases", "val_cider", "val_wall_ap50", "val_fire_recall"} <= rows[0].keys()


def test_the_early_layers_stay_and_the_late_ones_move(tuned: tuple[Recipe, Prepared, RunDir]) -> None:
    recipe, _, run = tuned
    before, after = (
        feature_cache.build_encoder(recipe.encoder),
        feature_cache.build_encoder(feature_cache.tuned(recipe.encoder, run)),
    )

    for early in ("stem_conv", "block0_depthwise_conv"):
        np.testing.assert_array_equal(*(model.get_layer(early).get_weights()[0] for model in (before, after)))
    late = [model.get_layer("head_conv").get_weights()[0] for model in (before, after)]
    assert 0 < np.abs(late[1] - late[0]).max() < 0.1


def test_what_a_map_of_stride_8_is_made_of_is_as_it_was(tuned: tuple[Recipe, Prepared, RunDir]) -> None:
    recipe, prepared, run = tuned
    known = multitask_examples.whole(prepared.val, prepared.boxes_val)
    early = np.load(run.folder / "features" / "multitask-val" / "c3.npy")

    wanted = feature_cache.FeatureRequest("again", [example.variants[0] for example in known], ("c3", "cells"))
    again = feature_cache.cached(run.features, feature_cache.tuned(recipe.encoder, run), wanted)

    np.testing.assert_allclose(again["c3"], early, atol=0.05)
    assert run.features.name == "features-tuned"


def test_the_later_stages_take_up_what_was_tuned(tuned: tuple[Recipe, Prepared, RunDir]) -> None:
    recipe, prepared, run = tuned

    assert run.best_captioner == run.part("captioner")
    assert hazard_classifier.load(recipe, prepared, 1280, run)[1].keys() == {"fire"}
    _, val = captioner.load_features(recipe, prepared, run)
    captioner.load(recipe, prepared.vocabulary, val.maps[0].shape[-1], run)
    assert recipe.detector is not None
    detector.load(recipe.detector, detector.load_features(recipe, prepared, run)[1].maps[0], run)


def test_the_phrases_of_the_colour_that_is_seen_are_expected(tuned: tuple[Recipe, Prepared, RunDir]) -> None:
    recipe, prepared, run = tuned
    assert recipe.phrases is not None
    phrase_predictor.train(recipe, recipe.phrases, prepared, run)
    network, rarities = phrase_predictor.load(prepared, recipe.phrases, 2 * 1280, run)
    _, val = captioner.load_features(recipe, prepared, run)
    expected = network(feature_cache.pooled(np.asarray(val.maps[0], np.float32))).numpy()
    places = {prepared.vocabulary.words[phrase[0]]: at for at, phrase in enumerate(rarities) if len(phrase) == 1}

    red, blue = (
        np.mean([row for row, shown in zip(expected, val.examples, strict=True) if (colour,) in _singles(shown)], 0)
        for colour in ("red", "blue")
    )
    assert red[places["red"]] > blue[places["red"]]
    assert blue[places["blue"]] > red[places["blue"]]


def _singles(shown: CaptionExample) -> set[tuple[str]]:
    return {(word,) for sentence in shown.sentences for word in sentence}


def test_a_finished_run_is_left_as_it_is(tuned: tuple[Recipe, Prepared, RunDir]) -> None:
    recipe, prepared, run = tuned
    before = run.joint.stat().st_mtime_ns
    assert recipe.finetuning is not None

    joint_finetuning.train(recipe, recipe.finetuning, prepared, run)

    assert run.joint.stat().st_mtime_ns == before
    context = Context(recipe, prepared, run, SINGLE_REPLICA)
    assert joint_finetuning.STAGE.is_done(context)
    assert not captioner.STAGE.is_wanted(context)


def test_a_start_that_is_not_trained_is_named(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, hazards=4, **SECTIONS)
    assert recipe.finetuning is not None
    start = msgspec.structs.replace(recipe.finetuning, start=tmp_path / "recipe.yaml")
    prepared = prepare.gather(recipe)

    with pytest.raises(CheckpointError, match=r"small/captioner\.weights\.h5: missing or of another recipe; train"):
        joint_finetuning.build_heads(
            recipe, start, prepared, RunDir(tmp_path / "run"), feature_cache.build_encoder(recipe.encoder)
        )


def batches(folder: Path, known: list[MultitaskExample], **changes: Any) -> MultitaskBatches:
    recipe = small_data.recipe(folder, hazards=4, **SECTIONS)
    maps = [np.zeros((len(known), 4, 4, 40), np.float16) + variant for variant in range(2)]
    how = msgspec.structs.replace(Finetuning(batch_size=4, captions_per_image=2, augmentations=2), **changes)
    return MultitaskBatches(known, maps, prepare.gather(recipe), recipe, how)


def example(label: str = "", *sentences: str, closeup: bool = False) -> MultitaskExample:
    words = tuple(tuple(sentence.split()) for sentence in sentences)
    return MultitaskExample(
        (AugmentedImage(Path("a")), AugmentedImage(Path("a"), mirrored=True)),
        words,
        label,
        (),
        frozenset({"fire"}),
        closeup,
    )


def test_an_image_that_nobody_described_teaches_no_words(tmp_path: Path) -> None:
    drawn = batches(tmp_path, [example() for _ in range(8)])

    x, y = drawn[0]

    assert x["tokens"].shape == (4, 2, 8)
    assert (y["words"] == PAD).all()
    assert y["truth"][:, -1, :2].tolist() == [[0, 1]] * 4


def test_an_epoch_holds_the_shares_that_the_recipe_asks_for(tmp_path: Path) -> None:
    known = [example("", "a red wall")] * 60 + [example("fire", "a fire burns")] * 30 + [example("none")] * 3
    known += [example("none", closeup=True)] * 9
    drawn = batches(tmp_path, known, hazard_share=0.3, closeup_share=0.1)

    labels = [known[row].label for row in drawn.rows]
    closeup = [known[row].closeup for row in drawn.rows]

    assert len(drawn.rows) == 100
    assert labels.count("") == 60
    assert sum(closeup) == 10
    fires = labels.count("fire")
    assert 15 <= fires <= 29  # of 30 scenes; by number it would be 27, evenly 15


def test_the_same_epoch_is_drawn_alike_and_the_next_differently(tmp_path: Path) -> None:
    known = [example("", "a red wall", "the wall on the right is red") for _ in range(16)]
    one, other = batches(tmp_path, known), batches(tmp_path, known)

    (x, _), (duplicates, _) = one[1], other[1]
    other.on_epoch_begin()

    np.testing.assert_array_equal(x["c3"], duplicates["c3"])
    assert one.rows.tolist() != other.rows.tolist()
