"""Dangers weighed by the beam."""

import math

import pytest

from edge.infer import hazards

WORDS = {"gun": ("gun", "hand gun"), "fire": ("fire",)}
SENTENCES = [["a", "man", "with", "a", "gun"], ["a", "man", "near", "a", "fire"], ["a", "gun", "fire"]]


def test_a_danger_has_the_mass_of_the_sentences_that_name_it() -> None:
    totals = [math.log(0.5), math.log(0.3), math.log(0.2)]

    found = hazards.weigh(SENTENCES, totals, WORDS)

    assert [hazard.term for hazard in found] == ["gun", "fire"]
    assert [hazard.probability for hazard in found] == pytest.approx([0.7, 0.5])


def test_only_the_proportions_of_the_masses_count() -> None:
    near, far = ([total - shift for total in (-1.0, -2.0, -3.0)] for shift in (0.0, 500.0))

    assert [found.probability for found in hazards.weigh(SENTENCES, near, WORDS)] == pytest.approx(
        [found.probability for found in hazards.weigh(SENTENCES, far, WORDS)]
    )


@pytest.mark.parametrize(
    ("sentence", "terms"),
    [
        pytest.param("a gunman stands", [], id="not within a word"),
        pytest.param("gun on a table", ["gun"], id="at the beginning"),
        pytest.param("a hand gun", ["gun"], id="an expression counts once"),
        pytest.param("a hand on a table", [], id="not half an expression"),
        pytest.param("", [], id="nothing said"),
    ],
)
def test_a_danger_is_named_by_whole_words(sentence: str, terms: list[str]) -> None:
    found = hazards.weigh([sentence.split()], [0.0], WORDS)

    assert [hazard.term for hazard in found] == terms
    assert all(hazard.probability == 1 for hazard in found)


def test_without_sentences_there_is_no_danger() -> None:
    assert hazards.weigh([], [], WORDS) == ()


LIMITS = {"gun": 0.5, "fire": 0.1}
IDS = {"gun": 4, "hand": 5, "fire": 6}


def test_evidence_is_told_most_probable_first() -> None:
    found = hazards.read({"gun": 0.3, "fire": 0.9})

    assert [(hazard.term, hazard.probability) for hazard in found] == [("fire", 0.9), ("gun", 0.3)]


def test_a_danger_that_is_improbable_by_far_is_not_told() -> None:
    assert hazards.read({"gun": 0.001, "fire": 0.0}) == ()


def test_a_danger_below_its_limit_may_not_be_said_in_any_of_its_words() -> None:
    silent = hazards.unspeakable({"gun": 0.49, "fire": 0.1}, LIMITS, WORDS, IDS)

    assert silent == [(4,), (5, 4)]


def test_words_that_the_vocabulary_cannot_spell_need_no_forbidding() -> None:
    assert hazards.unspeakable({"gun": 0.0, "fire": 0.9}, LIMITS, {**WORDS, "gun": ("gun", "pistol")}, IDS) == [(4,)]


def test_a_danger_without_a_limit_may_never_be_said() -> None:
    assert hazards.unspeakable({"gun": 0.9, "fire": 1.0}, {"gun": 0.5}, WORDS, IDS) == [(6,)]
