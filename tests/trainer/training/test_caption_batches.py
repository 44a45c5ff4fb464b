"""What each training step sees."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.vocabulary import END, PAD, SPECIALS, START, of
from tests.trainer import small_data
from trainer.data.example import CaptionExample
from trainer.recipe.recipe import Recipe
from trainer.training import caption_batches
from trainer.training.caption_batches import CaptionBatches, CaptionFeatures

CELLS, DEPTH = 4, 6
VOCABULARY = of(f"w{number}" for number in range(40))


def cached(captioned: int, hazards: int = 0, maps: int = 2) -> CaptionFeatures:
    """Make images whose features hold their row, negative in the second view, and whose words name it."""
    examples = [
        CaptionExample(
            Path(f"{row}.jpg"), ((f"w{row}",), (f"w{row}", "w0", "w1")), "set", "fire" if row >= captioned else ""
        )
        for row in range(captioned + hazards)
    ]
    rows = np.arange(len(examples), dtype=np.float16)[:, None, None]
    seen = tuple(np.broadcast_to(sign * rows, (len(examples), CELLS, DEPTH)) for sign in (1, -1)[:maps])
    return CaptionFeatures(examples, seen)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return small_data.recipe(tmp_path, training={"batch_size": 4, "captions_per_image": 3, "hazard_share": 0.25})


def drawn(made: CaptionBatches) -> list[Any]:
    return [made[index] for index in range(len(made))]


def rows_of(made: CaptionBatches) -> list[int]:
    """Return the rows of an epoch, as the features tell."""
    return [int(abs(cells[0, 0])) for (batch, _), _ in drawn(made) for cells in batch]


def test_a_batch_has_features_words_so_far_and_next_words(recipe: Recipe) -> None:
    (cells, tokens), targets = CaptionBatches(cached(9), VOCABULARY, recipe, shuffled=True)[0]

    assert cells.shape == (4, CELLS, DEPTH)
    assert tokens.shape == targets.shape == (4, 3, recipe.decoder.max_tokens)
    assert (tokens[:, :, 0] == START).all()
    np.testing.assert_array_equal(targets[:, :, :-1], tokens[:, :, 1:])


def test_sentences_belong_to_their_image_end_and_are_padded(recipe: Recipe) -> None:
    (cells, _), targets = CaptionBatches(cached(9), VOCABULARY, recipe, shuffled=True)[1]

    for example, sentences in zip(cells, targets, strict=True):
        word = len(SPECIALS) + int(abs(example[0, 0]))
        for sentence in sentences.tolist():
            assert sentence[0] == word
            after = sentence[sentence.index(END) + 1 :]
            assert after == [PAD] * len(after)
            assert len(after) in {4, 6}


@pytest.mark.parametrize(
    ("length", "padded"), [(2, [1, 5]), (3, [1, 5, 2]), (5, [1, 5, 2, PAD, PAD])], ids=["cut", "just right", "filled"]
)
def test_a_sentence_is_cut_or_filled_to_its_length(length: int, padded: list[int]) -> None:
    assert caption_batches.pad([1, 5, 2], length) == padded


def test_an_epoch_shows_every_captioned_image_once(recipe: Recipe) -> None:
    rows = rows_of(CaptionBatches(cached(8), VOCABULARY, recipe, shuffled=True))

    assert sorted(rows) == list(range(8))


@pytest.mark.parametrize(
    ("captioned", "hazards", "expected"),
    [
        pytest.param(12, 20, 4, id="a quarter of all"),
        pytest.param(12, 3, 3, id="as far as there are any"),
        pytest.param(0, 8, 8, id="all where there is nothing else"),
        pytest.param(12, 0, 0, id="none where there are none"),
    ],
)
def test_hazard_scenes_have_their_share(recipe: Recipe, captioned: int, hazards: int, expected: int) -> None:
    made = CaptionBatches(cached(captioned, hazards), VOCABULARY, recipe, shuffled=True)

    assert len(made.rows) == captioned + expected
    assert len(set(made.rows.tolist())) == len(made.rows)
    assert sum(int(row) >= captioned for row in made.rows) == expected


def test_the_same_seed_draws_the_same_batches(recipe: Recipe) -> None:
    first, second = (drawn(CaptionBatches(cached(9, 5), VOCABULARY, recipe, shuffled=True)) for _ in range(2))

    for ((cells, tokens), targets), ((same_cells, same_tokens), same_targets) in zip(first, second, strict=True):
        np.testing.assert_array_equal(cells, same_cells)
        np.testing.assert_array_equal(tokens, same_tokens)
        np.testing.assert_array_equal(targets, same_targets)


def test_every_epoch_draws_anew(recipe: Recipe) -> None:
    made = CaptionBatches(cached(16, 16), VOCABULARY, recipe, shuffled=True)

    first = rows_of(made)
    made.on_epoch_begin()

    assert rows_of(made) != first


def test_mirrored_and_plain_augmentations_are_mixed(recipe: Recipe) -> None:
    made = CaptionBatches(cached(32), VOCABULARY, recipe, shuffled=True)
    signs = {float(np.sign(cells[0, 0])) for (batch, _), _ in drawn(made) for cells in batch if cells[0, 0]}

    assert signs == {1.0, -1.0}


def test_validation_is_in_order_and_as_taken(recipe: Recipe) -> None:
    made = CaptionBatches(cached(8), VOCABULARY, recipe, shuffled=False)
    before = drawn(made)
    made.on_epoch_begin()

    assert [float(cells[0, 0]) for (batch, _), _ in before for cells in batch] == list(range(8))
    np.testing.assert_array_equal(before[0][1], made[0][1])


@pytest.mark.parametrize(("max_steps", "expected"), [(0, 4), (2, 2), (9, 4)])
def test_an_epoch_may_be_cut(tmp_path: Path, max_steps: int, expected: int) -> None:
    recipe = small_data.recipe(tmp_path, training={"batch_size": 4, "max_steps": max_steps})

    assert len(CaptionBatches(cached(17), VOCABULARY, recipe, shuffled=True)) == expected


def test_fewer_images_than_a_batch_make_a_smaller_one(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, training={"batch_size": 32})
    made = CaptionBatches(cached(3), VOCABULARY, recipe, shuffled=True)

    assert len(made) == 1
    assert made[0][0][0].shape == (3, CELLS, DEPTH)
