"""Which things a sentence names, and which of them nobody else named."""

import pytest

from trainer import metrics
from trainer.metrics.invented import named


@pytest.mark.parametrize(
    ("sentence", "things"),
    [
        pytest.param("a man is riding a bike", {"person", "man", "bicycle"}, id="words of different things"),
        pytest.param("a boy eats a hot dog", {"person", "child", "boy", "hot dog"}, id="a hot dog is no dog"),
        pytest.param("a teddy bear near a fire hydrant", {"teddy bear", "fire hydrant"}, id="two words for one thing"),
        pytest.param("an empty beach near the sea", set(), id="places are not among the things"),
        pytest.param("people wait at a bus stop", {"person"}, id="a bus stop is no bus"),
    ],
)
def test_a_sentence_names_things_by_any_of_their_words(sentence: str, things: set[str]) -> None:
    assert named(sentence.split()) == things


def test_a_synonym_of_what_somebody_wrote_is_not_invented() -> None:
    written = [["a", "puppy", "runs"], ["an", "animal", "outside"]]

    assert metrics.invented([["a", "dog", "runs"]], [written]) == 0.0


def test_a_boy_may_be_called_a_child_or_a_person_but_not_a_man() -> None:
    written = [["a", "boy", "runs"]]

    found = [metrics.invented([["a", word, "runs"]], [written]) for word in ("boy", "child", "person", "man", "girl")]

    assert found == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_of_a_person_only_a_person_is_borne_out() -> None:
    assert metrics.invented([["a", "man", "runs"]], [[["a", "person", "runs"]]]) == 1.0


def test_a_thing_that_nobody_wrote_of_is_invented_however_right_the_rest_is() -> None:
    written = [["a", "puppy", "runs"], ["an", "animal", "outside"]]

    assert metrics.invented([["a", "dog", "chases", "a", "ball"]], [written]) == 1.0


def test_the_share_is_of_sentences_not_of_things() -> None:
    said = [["a", "cat", "and", "a", "horse"], ["a", "cat"], ["a", "cat"], ["nobody"]]
    written = [[["a", "dog"]], [["a", "cat"]], [["a", "cat"]], [["a", "dog"]]]

    assert metrics.invented(said, written) == 0.25
