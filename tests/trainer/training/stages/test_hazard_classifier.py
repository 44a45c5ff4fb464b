"""How far an image speaks for each danger: what is taught, what is chosen, and what is handed over."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer import small_data
from trainer import export
from trainer.data import prepare, vocabulary
from trainer.data.example import CaptionExample
from trainer.errors import CheckpointError
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.tokenizers.english import split as words_of
from trainer.training.caption_batches import CaptionBatches, CaptionFeatures
from trainer.training.stages import captioner, hazard_classifier

TERMS = {"fire": ("fire", "in flames"), "gun": ("gun",)}

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
"""Keras 3.15 writes weights as NumPy 1 had it."""


def example(label: str, *sentences: str) -> CaptionExample:
    return CaptionExample(Path("a.jpg"), tuple(words_of(sentence) for sentence in sentences), "set", label)


def test_cells_are_pooled_to_their_mean_and_maximum() -> None:
    cells = np.random.default_rng(1).normal(size=(hazard_classifier.CHUNK + 3, 4, 5)).astype(np.float16)

    pooled = hazard_classifier.pool(cells)

    assert pooled.shape == (hazard_classifier.CHUNK + 3, 10)
    np.testing.assert_allclose(pooled[:, :5], cells.astype(np.float32).mean(1), atol=1e-5)
    np.testing.assert_array_equal(pooled[:, 5:], cells.max(1))


@pytest.mark.parametrize(
    ("shown", "truth", "known"),
    [
        pytest.param(example("fire"), [1, 0], [1, 1], id="a labelled scene shows its danger and no other"),
        pytest.param(example("none"), [0, 0], [1, 1], id="a peaceful scene shows none"),
        pytest.param(example("", "a dog runs"), [0, 0], [1, 1], id="what nobody named is not there"),
        pytest.param(example("", "a dog", "a house in flames"), [0, 0], [0, 1], id="what somebody named is not known"),
        pytest.param(example("", "a gunner at a campfire"), [0, 0], [1, 1], id="a part of a word names nothing"),
    ],
)
def test_the_truth_is_taken_from_labels_and_doubt_from_sentences(
    shown: CaptionExample, truth: list[int], known: list[int]
) -> None:
    found = hazard_classifier.targets([shown], TERMS)

    assert [values.tolist() for values in found] == [[truth], [known]]


def test_scenes_without_a_sentence_are_never_drawn_for_captions(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, training={"batch_size": 2, "hazard_share": 0.5})
    shown = [example("", "a dog"), example("none"), example("fire", "a fire"), example("none"), example("", "a cat")]
    words = vocabulary.build(shown, recipe.vocabulary)
    cached = CaptionFeatures(shown, (np.zeros((5, 1, 2), np.float16),))

    for shuffled in (True, False):
        batches = CaptionBatches(cached, words, recipe, shuffled=shuffled)
        assert set(batches.rows.tolist()) == {0, 2, 4}
        assert batches[0][0][1].shape == (2, recipe.training.captions_per_image, recipe.decoder.max_tokens)


@pytest.fixture(scope="module")
def hazard_network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, prepare.Prepared, RunDir]:
    """A run whose evidence of fire was trained on orange images, and whose captioner was not trained at all."""
    folder = tmp_path_factory.mktemp("weighed")
    recipe = small_data.recipe(
        folder,
        hazards=12,
        encoder={"height": 32, "width": 32, "flips": False},
        evidence={"epochs": 60, "batch_size": 8, "learning_rate": 5e-3, "width": 16, "dropout": 0.1},
    )
    run = RunDir(folder / "run")
    run.folder.mkdir()
    prepared = prepare.gather(recipe)
    assert recipe.hazard_classifier is not None
    hazard_classifier.train(recipe, recipe.hazard_classifier, prepared, run)
    captioner.build(recipe, prepared.vocabulary, 1280).save_weights(run.captioner)
    return recipe, prepared, run


def test_what_was_labelled_a_danger_exceeds_its_limit_and_peace_does_not(hazard_network: Any) -> None:
    recipe, prepared, run = hazard_network
    _, val = captioner.load_features(recipe, prepared, run)

    model, limits = hazard_classifier.load(recipe, prepared, 1280, run)

    found = hazard_classifier.probabilities(model, val)[:, 0]
    labels = np.array([shown.label for shown in val.examples])
    assert set(limits) == {"fire"}
    assert (found[labels == "fire"] > limits["fire"]).all()
    assert (found[labels == "none"] < limits["fire"]).all()


def test_the_export_carries_the_evidence_with_each_limit_at_one_half(hazard_network: Any, tmp_path: Path) -> None:
    recipe, prepared, run = hazard_network
    _, val = captioner.load_features(recipe, prepared, run)
    model, limits = hazard_classifier.load(recipe, prepared, 1280, run)

    export.write(recipe, prepared, run, tmp_path, commands=[])

    start = tf.saved_model.load(str(tmp_path / "decoder_init")).signatures["serving_default"]
    said = start(cells=tf.constant(val.maps[0][:3], tf.float32))
    found, limit = hazard_classifier.probabilities(model, val)[:3], limits["fire"]
    even = found / (1 - found) * (1 - limit) / limit
    np.testing.assert_allclose(said["evidence"], even / (1 + even), atol=1e-4)
    assert '"fire": 0.5' in (tmp_path / "export.json").read_text()


def test_evidence_that_was_never_trained_is_named(hazard_network: Any, tmp_path: Path) -> None:
    recipe, prepared, _ = hazard_network

    with pytest.raises(CheckpointError, match=r"evidence\.weights\.h5: no evidence of this recipe; train it first"):
        hazard_classifier.load(recipe, prepared, 1280, RunDir(tmp_path))
