"""Words of the training sentences, and which of them the captioner may say."""

from pathlib import Path

import pytest

from contract.vocabulary import SPECIALS, UNKNOWN
from trainer.data import vocabulary
from trainer.data.example import CaptionExample
from trainer.errors import DataError
from trainer.recipe.recipe import Vocabulary
from trainer.tokenizers.english import split


def told(*sentences: str) -> CaptionExample:
    return CaptionExample(Path("image.jpg"), tuple(split(sentence) for sentence in sentences), "tales")


TALES = [told("a dog and a cat", "a dog"), told("a zebra", "the cat", "a dog runs")]


def test_the_most_frequent_word_comes_first_and_equals_by_the_alphabet() -> None:
    words = vocabulary.build(TALES, Vocabulary(min_count=1)).words

    assert words == (*SPECIALS, "a", "dog", "cat", "and", "runs", "the", "zebra")


@pytest.mark.parametrize(("min_count", "expected"), [(2, ("a", "dog", "cat")), (3, ("a", "dog")), (5, ("a",))])
def test_rare_words_are_left_out(min_count: int, expected: tuple[str, ...]) -> None:
    words = vocabulary.build(TALES, Vocabulary(min_count=min_count))

    assert words.words == (*SPECIALS, *expected)
    assert words.encode(["zebra"])[1] == UNKNOWN


def test_only_the_most_frequent_stay() -> None:
    assert vocabulary.build(TALES, Vocabulary(min_count=1, max_words=2)).words == (*SPECIALS, "a", "dog")


def test_sentences_without_a_frequent_word_are_refused() -> None:
    with pytest.raises(DataError, match=r"vocabulary\.min_count: no word occurs 6 times"):
        vocabulary.build(TALES, Vocabulary(min_count=6))


def test_words_of_race_or_origin_are_never_learnt() -> None:
    tales = [told("an asian man", "a man", "an asian girl")]

    assert "asian" not in vocabulary.build(tales, Vocabulary(min_count=1)).ids
