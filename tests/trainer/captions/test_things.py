"""How probable each thing is: fitted to what is expected of images, by fits that have not seen them."""

from pathlib import Path

import numpy as np
import pytest

from contract import vocabulary
from trainer.captions import things
from trainer.captions.vocabulary import choose
from trainer.data.example import CaptionExample
from trainer.recipe.recipe import Phrases
from trainer.training.stages.phrase_predictor import Targets

WORDS = vocabulary.of(("a", "dog", "runs", "cat", "sleeps", "asian", "old"))


def example(*sentences: str) -> CaptionExample:
    return CaptionExample(Path("x.jpg"), tuple(tuple(one.split()) for one in sentences), "drawn")


def test_a_logistic_fit_finds_the_log_odds_that_made_the_data() -> None:
    draws = np.random.default_rng(1)
    values = draws.uniform(0, 1, 20_000)
    shown = (draws.uniform(size=values.size) < 1 / (1 + np.exp(-(-3 + 8 * values)))).astype(float)

    bias, slope = things.logistic(values, shown)

    assert bias == pytest.approx(-3, abs=0.2)
    assert slope == pytest.approx(8, abs=0.4)


def test_a_thing_is_probable_where_its_word_is_expected() -> None:
    captioned = [example("a dog runs"), example("a cat sleeps")] * 20
    rarities: dict[tuple[int, ...], float] = {(WORDS.ids["dog"],): 1.0, (WORDS.ids["cat"],): 1.0}
    expected = np.array([[0.5, 0.0], [0.0, 0.5]] * 20, np.float32)

    found = things.fit(expected, captioned, rarities, WORDS)

    assert found["dog"].words == ("dog",)
    assert found["dog"].slope > 0
    assert found["dog"].bias < 0 < found["dog"].bias + 0.5 * found["dog"].slope


def test_what_is_expected_of_an_image_was_not_fitted_to_it() -> None:
    draws = np.random.default_rng(1)
    captioned = [example("a dog runs") if number % 2 else example("a cat sleeps") for number in range(40)]
    noise = draws.normal(size=(40, 30)).astype(np.float32)
    targets = Targets(captioned, 2, WORDS)
    dog = next(place for place, phrase in enumerate(targets.rarities) if phrase == (WORDS.ids["dog"],))
    shows = np.array([number % 2 for number in range(40)], bool)

    unseen = things.out_of_fold([noise], targets, 40, Phrases(min_count=2, rank=8, ridge=0.01), seed=1)[:, dog]

    assert abs(unseen[shows].mean() - unseen[~shows].mean()) < np.std(unseen)  # of noise nothing can be foretold


def test_words_of_danger_come_in_and_words_of_origin_stay_out() -> None:
    captioned = [example("a asian man runs", "a zebra runs")] * 4

    chosen = choose(WORDS, captioned, {"fire"}, min_count=2)

    assert {"fire", "zebra", "runs", "a"} <= set(chosen.words)
    assert "asian" not in chosen.words
    assert "sleeps" not in chosen.words
    assert len(chosen) <= len(WORDS)
