"""Which phrases are predicted, how well, and what becomes of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract import phrases as contract
from converter.tflite import saved_model_export as converter
from tests.trainer.workstation import Workstation
from trainer.data import prepare, vocabulary
from trainer.data.example import CaptionExample
from trainer.errors import CheckpointError, DataError
from trainer.recipe import recipe
from trainer.recipe.recipe import Phrases, Vocabulary
from trainer.recipe.run_dir import RunDir
from trainer.training.stages import phrase_predictor
from trainer.training.stages.phrase_predictor import Targets

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
"""Keras 3.15 writes weights as NumPy 1 had it."""

DOGS, CATS, SILENT = ("a dog runs", "a dog sleeps"), ("a cat sleeps",), ()


def example(*sentences: str) -> CaptionExample:
    return CaptionExample(Path("a.jpg"), tuple(tuple(sentence.split()) for sentence in sentences), "set")


ALBUM = [example(*DOGS), example(*CATS), example(*SILENT), example("a dog runs")]
WORDS = vocabulary.build(ALBUM, Vocabulary(min_count=1))


@pytest.fixture
def targets() -> Targets:
    return Targets(ALBUM, 2, WORDS)


def spelled(found: dict[contract.Phrase, float]) -> list[str]:
    return [" ".join(WORDS.words[token] for token in phrase) for phrase in found]


def test_phrases_are_those_that_enough_sentences_hold(targets: Targets) -> None:
    assert sorted(spelled(targets.rarities)) == sorted(
        ["a", "dog", "runs", "sleeps", "a dog", "dog runs", "a dog runs"]
    )
    assert list(map(len, targets.rarities)) == sorted(map(len, targets.rarities))


def test_rarity_is_the_logarithm_of_images_by_images_with_it(targets: Targets) -> None:
    rarities = dict(zip(spelled(targets.rarities), targets.rarities.values(), strict=True))

    assert rarities["a"] == 0
    assert rarities["dog"] == pytest.approx(np.log(3 / 2))
    assert rarities["sleeps"] == pytest.approx(np.log(3 / 2))


def test_where_no_phrase_is_frequent_enough_the_recipe_is_named() -> None:
    with pytest.raises(DataError, match=r"phrases\.min_count: no phrase stands in 9"):
        Targets(ALBUM, 9, WORDS)


def test_a_target_is_the_mean_over_what_people_wrote(targets: Targets) -> None:
    both, once, silent = targets.rows([ALBUM[0], ALBUM[3], ALBUM[2]])
    place = spelled(targets.rarities).index("a dog runs")

    assert once[place] == pytest.approx(1.0)  # all that is of three words
    assert both[place] == pytest.approx(0.5)
    assert not silent.any()


@pytest.fixture(scope="module")
def dataset() -> tuple[list[CaptionExample], Any]:
    """Images of one to three things, pooled to numbers that tell which, under a good deal of noise."""
    random = np.random.default_rng(3)
    things = ["dog", "cat", "car", "man", "tree", "ball"]
    shown = [random.choice(len(things), random.integers(1, 4), replace=False) for _ in range(600)]
    examples = [example(*(f"a {things[thing]} is here" for thing in thing_row)) for thing_row in shown]
    tells = np.zeros((len(examples), 24), np.float32)
    for row, thing_row in zip(tells, shown, strict=True):
        row[thing_row] = 1
    mixed = tells @ random.normal(size=(24, 24)).astype(np.float32) * np.logspace(-1, 1, 24, dtype=np.float32)
    return examples, [mixed + random.normal(size=mixed.shape).astype(np.float32) * 0.02 for _ in range(2)]


def error(network: Any, seen: Any, wanted: Any) -> float:
    """The share of the targets' variance that stays unexplained."""
    return float(((network(seen).numpy() - wanted) ** 2).sum() / ((wanted - wanted.mean(0)) ** 2).sum())


@pytest.mark.parametrize("rank", [6, 40])
def test_what_was_fitted_foretells_images_that_it_has_not_seen(
    dataset: tuple[list[CaptionExample], Any], rank: int
) -> None:
    shown, maps = dataset
    known = Targets(shown[:500], 5, vocabulary.build(shown, Vocabulary(min_count=1)))
    sizes = Phrases(min_count=5, rank=rank, ridge=0.01)
    network = phrase_predictor.build(24, len(known.rarities), sizes)

    phrase_predictor.put(network, phrase_predictor.fit([view[:500] for view in maps], known, sizes))

    assert error(network, maps[0][500:], known.rows(shown[500:])) < 0.2


def test_too_low_a_rank_keeps_the_most_telling_directions(dataset: tuple[list[CaptionExample], Any]) -> None:
    shown, maps = dataset
    known = Targets(shown, 5, vocabulary.build(shown, Vocabulary(min_count=1)))
    wanted, errors = known.rows(shown), []
    for rank in (1, 3, 6):
        sizes = Phrases(min_count=5, rank=rank, ridge=0.01)
        network = phrase_predictor.build(24, len(known.rarities), sizes)
        phrase_predictor.put(network, phrase_predictor.fit(maps, known, sizes))
        errors.append(error(network, maps[0], wanted))

    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.95


def test_the_loss_is_of_images_that_people_wrote_of_alone() -> None:
    wanted, found = np.array([[1.0, 0.0], [9.0, 9.0]], np.float32), np.zeros((2, 2), np.float32)

    assert float(phrase_predictor.loss(wanted, found, np.array([True, False]))) == pytest.approx(1.0)
    assert float(phrase_predictor.loss(wanted, found, np.array([False, False]))) == 0


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_phrases_of_another_recipe_are_refused(trained: Workstation) -> None:
    loaded = recipe.load(trained.recipe)
    prepared, run = prepare.gather(loaded), RunDir(trained.run)

    with pytest.raises(CheckpointError, match=r"phrases\.weights\.h5: no \d+ phrases of this recipe"):
        phrase_predictor.load(prepared, Phrases(min_count=3, rank=9), 2 * 1280, run)


def test_the_export_expects_what_the_run_has_learnt(trained: Workstation) -> None:
    import tensorflow as tf  # noqa: PLC0415 - a process that only collects need not load it

    loaded = recipe.load(trained.recipe)
    assert loaded.phrases is not None
    prepared, run = prepare.gather(loaded), RunDir(trained.run)
    exported = converter.load(trained.folder / "exported")
    network, rarities = phrase_predictor.load(prepared, loaded.phrases, 2 * 1280, run)
    cells = np.random.default_rng(4).uniform(0, 2, (1, 9, 1280)).astype(np.float32)
    pooled = np.concatenate([cells.mean(1), cells.max(1)], 1)

    signature = tf.saved_model.load(str(exported.models["decoder_init"])).signatures["serving_default"]
    expected = signature(cells=tf.constant(cells))["expected"].numpy()

    assert contract.load(exported.folder / "phrases.txt", prepared.vocabulary).keys() == rarities.keys()
    np.testing.assert_allclose(expected, network(pooled).numpy(), atol=1e-3)
