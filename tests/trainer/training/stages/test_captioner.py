"""The captioner's training apart from its epochs: rates, arithmetic, scores, and weights that fit."""

from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest

from contract.vocabulary import END, of
from tests.trainer import small_data
from trainer.data import prepare
from trainer.data.example import CaptionExample
from trainer.errors import CheckpointError
from trainer.recipe.recipe import Recipe, Training
from trainer.recipe.run_dir import RunDir
from trainer.tokenizers.english import split as words_of
from trainer.training.caption_batches import CaptionFeatures
from trainer.training.stages import captioner

WORDS = of(["a", "red", "green", "wall"])
CELLS, DEPTH = 2, 4

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
"""Keras 3.15 writes weights as NumPy 1 had it."""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return small_data.recipe(tmp_path)


@pytest.mark.parametrize("name", ["adam", "adamw", "nadam", "adamax", "sgd"])
def test_every_optimizer_of_the_recipe_can_be_built(name: Any) -> None:
    made = captioner.optimizer(Training(optimizer=name, weight_decay=0.02, clip_norm=3.0, ema_momentum=0.9), 100)

    assert type(made).__name__.lower() == name
    assert (made.weight_decay, made.global_clipnorm, made.use_ema, made.ema_momentum) == (0.02, 3.0, True, 0.9)


def test_the_rate_warms_up_and_then_falls_along_a_cosine() -> None:
    made = captioner.optimizer(Training(learning_rate=1e-3, warmup=0.1, ema_momentum=0), 1000)
    rates = [float(made._learning_rate(step)) for step in (0, 50, 100, 550, 1000, 2000)]

    np.testing.assert_allclose(rates, [1e-5, 5.05e-4, 1e-3, 5.05e-4, 1e-5, 1e-5], rtol=1e-2)
    assert not made.use_ema


def test_reduced_precision_ends_where_it_was_asked_for(recipe: Recipe) -> None:
    with captioner.precision(msgspec.structs.replace(recipe.training, mixed_precision=True)):
        reduced = captioner.build(recipe, WORDS, DEPTH)
    full = captioner.build(recipe, WORDS, DEPTH)

    assert reduced.compute_dtype == "bfloat16"
    assert full.compute_dtype == "float32"
    assert {weights.dtype for weights in reduced.weights if weights.trainable} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_weights_survive_the_disk(recipe: Recipe, tmp_path: Path) -> None:
    model = captioner.build(recipe, WORDS, DEPTH)
    model.save_weights(tmp_path / "kept.weights.h5")

    loaded = captioner.load_from(recipe, WORDS, DEPTH, tmp_path / "kept.weights.h5")

    for kept, duplicates in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, duplicates)


@pytest.mark.parametrize(
    ("words", "cell_size", "state"),
    [
        pytest.param(of(["a"]), DEPTH, 12, id="another vocabulary"),
        pytest.param(WORDS, DEPTH + 1, 12, id="another encoder"),
        pytest.param(WORDS, DEPTH, 16, id="another size"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_line(
    recipe: Recipe, tmp_path: Path, words: Any, cell_size: int, state: int
) -> None:
    path = tmp_path / "kept.weights.h5"
    captioner.build(recipe, WORDS, DEPTH).save_weights(path)
    other = msgspec.structs.replace(recipe, decoder=msgspec.structs.replace(recipe.decoder, state=state))

    with pytest.raises(
        CheckpointError, match=r"kept\.weights\.h5: no captioner of this recipe and vocabulary"
    ) as found:
        captioner.load_from(other, words, cell_size, path)

    assert "\n" not in str(found.value)


@pytest.mark.parametrize("content", [None, b"", b"half a file"], ids=["none", "empty", "damaged"])
def test_weights_that_are_none_are_refused(recipe: Recipe, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kept.weights.h5"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"kept\.weights\.h5: no captioner .*train it first"):
        captioner.load_from(recipe, WORDS, DEPTH, path)


def test_hazard_scenes_are_scored_apart_from_what_people_wrote(recipe: Recipe) -> None:
    model = captioner.build(recipe, WORDS, DEPTH)
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    bias = np.zeros(len(WORDS), np.float32)
    bias[WORDS.ids["red"]], bias[END] = 2.0, 1.0
    model.bias.assign(bias)
    always = " ".join(["red"] * captioner.GREEDY.max_tokens)
    examples = [
        CaptionExample(Path("0.jpg"), (words_of("red red"),), "people"),
        CaptionExample(Path("1.jpg"), (words_of("a green wall"), words_of("red")), "people"),
        CaptionExample(Path("2.jpg"), (words_of(always),), "scenes", "fire"),
        CaptionExample(Path("3.jpg"), (words_of("a red wall"),), "scenes", "fire"),
    ]
    cached = CaptionFeatures(examples, (np.zeros((4, CELLS, DEPTH), np.float16),))

    figures = captioner.scorer(model, cached, WORDS, recipe)()

    assert figures["hazard_sentences"] == 0.5
    assert figures["bleu_1"] == pytest.approx(3 / (2 * captioner.GREEDY.max_tokens))
    assert set(figures) == {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider", "hazard_sentences"}


def test_mirrored_features_are_for_training_alone(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, train=2, val=2, encoder={"height": 32, "width": 32})
    train, val = captioner.load_features(recipe, prepare.gather(recipe), RunDir(tmp_path / "run"))

    assert (len(train.maps), len(val.maps)) == (2, 1)
    assert train.maps[0].shape == (2, 1, 1280)
    assert not np.allclose(train.maps[0], train.maps[1])
