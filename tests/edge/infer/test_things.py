"""Things that the picture bears out too little: what naming them costs, and which are never named."""

import math

import numpy as np
import pytest

from contract.bundle import Thing
from contract.bundle import Things as Known
from edge.infer.phrase_prior import Costs, Phrases
from edge.infer.things import Things

IDS = {"dog": 4, "puppy": 5, "person": 6, "man": 7, "street": 8}
PLACES = {4: 0, 5: 1, 6: 2, 7: 3}
KNOWN = Known(
    named={
        "dog": Thing(words=("dog", "puppy", "hound"), bias=-4.0, slope=40.0),
        "person": Thing(words=("person",), also=("man",), bias=-4.0, slope=40.0),
        "man": Thing(words=("man",), bias=-4.0, slope=20.0),
    },
    least=0.1,
)


@pytest.fixture
def things() -> Things:
    words = {word: number for number, word in enumerate(["<pad>", "<start>", "<end>", "<unk>", *IDS])}
    return Things(KNOWN, words, PLACES)


def expected(**weights: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    found = np.zeros(4, np.float32)
    for word, weight in weights.items():
        found[PLACES[IDS[word]]] = weight
    return found


def test_a_thing_of_which_nothing_is_expected_is_never_named(things: Things) -> None:
    assert set(things.doubt(expected(man=0.2)).forbidden.tolist()) == {4, 5}


def test_every_word_of_a_thing_costs_what_the_thing_is_in_doubt(things: Things) -> None:
    words = things.doubt(expected(dog=0.05, puppy=0.05)).words

    assert words[IDS["dog"]] == words[IDS["puppy"]] == pytest.approx(math.log(0.5), abs=1e-6)
    assert words[IDS["street"]] == 0.0


def test_a_man_bears_out_a_person_more_than_himself(things: Things) -> None:
    words = things.doubt(expected(man=0.1)).words

    assert words[IDS["man"]] < words[IDS["person"]] < 0


def test_what_is_expected_less_than_not_at_all_counts_as_nothing(things: Things) -> None:
    assert (things.doubt(expected(dog=-1.0)).words == things.doubt(expected()).words).all()


def test_doubt_holds_the_search_back_and_lowers_what_a_sentence_is_worth() -> None:
    phrases = Phrases({(4,): 1.0, (8,): 1.0})
    weights, costs = np.array([0.5, 0.5], np.float32), np.zeros(9, np.float32)
    costs[4] = -2.0

    picture = phrases.of(weights, 1.0, costs=Costs(costs, 0.5 * costs))

    guided = picture.guide(np.zeros((1, 9), np.float32), [()])
    assert guided[0, 4] == pytest.approx(0.5 - 2.0)
    assert guided[0, 8] == pytest.approx(0.5)
    assert picture.likeness((8,)) - picture.likeness((4,)) == pytest.approx(1.0)
