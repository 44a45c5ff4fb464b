"""What is expected of a picture: how it guides the search, and what likeness to it means."""

import itertools

import numpy as np
import pytest

from contract.phrases import Phrase
from edge.infer.phrase_prior import Phrases
from trainer.metrics import CiderD
from trainer.metrics.grams import of_all_orders

A, B, C, D, E = range(4, 9)
CORPUS: list[list[Phrase]] = [
    [(A, B, C), (A, B, D)],
    [(B, C, D), (A, C)],
    [(C, D, A, B), (D, A, B, E)],
    [(E, C, A), (B, D)],
]
"""Sentences of four pictures, as token ids."""


def spelled(sentence: Phrase) -> tuple[str, ...]:
    return tuple(map(str, sentence))


def test_likeness_is_cider_where_everything_that_was_written_is_expected() -> None:
    cider = CiderD([[spelled(sentence) for sentence in sentences] for sentences in CORPUS])
    grams = sorted(
        {gram for sentences in CORPUS for sentence in sentences for gram in of_all_orders(spelled(sentence))}
    )
    rarities = {tuple(map(int, gram)): cider.rarity(gram) for gram in grams}
    candidates = [one for one in itertools.permutations((A, B, C, D, E), 3) if cider.weights(spelled(one))]
    unheard = [one for one in candidates if not {spelled(one)[:2], spelled(one)[1:], spelled(one)} <= set(grams)]

    for sentences in CORPUS[:1]:  # both have three words, as the candidates have: no penalty for length
        written = [cider.weights(spelled(sentence)) for sentence in sentences]
        expected = np.array([sum(one.get(gram, 0.0) for one in written) / len(written) for gram in grams], np.float32)
        picture = Phrases(rarities).of(expected, pull=0.0)
        for one in [one for one in candidates if one not in unheard]:
            truth = cider.score(spelled(one), [spelled(sentence) for sentence in sentences])
            assert picture.likeness(one) == pytest.approx(truth, abs=1e-4)
    assert len(candidates) > len(unheard)


def test_a_phrase_that_is_not_known_dilutes_the_likeness() -> None:
    picture = Phrases({(A,): 1.0, (B,): 2.0}).of(np.array([0.5, 0.5], np.float32), pull=1.0)

    assert picture.likeness((B,)) > picture.likeness((B, C)) > picture.likeness((C,)) == 0


def test_the_search_is_pulled_to_what_would_complete_an_expected_phrase() -> None:
    phrases = Phrases({(A,): 1.0, (A, B): 2.0, (B, A, C): 3.0})
    picture = phrases.of(np.array([0.1, 0.2, 0.3], np.float32), pull=2.0)
    log_probs = np.full((2, E + 1), -5.0, np.float32)

    guided = picture.guide(log_probs, [(), (B, A)])

    change = guided - log_probs
    assert change[0].nonzero()[0].tolist() == [A]
    assert change[0, A] == pytest.approx(2 * 0.1 * 1)
    assert change[1].nonzero()[0].tolist() == [A, B, C]
    assert change[1, B] == pytest.approx(2 * 0.2 * 2)
    assert change[1, C] == pytest.approx(2 * 0.3 * 3)
    assert (log_probs == -5).all()


def test_what_may_not_be_said_stays_unsaid_however_much_it_is_expected() -> None:
    picture = Phrases({(A,): 1.0}).of(np.array([100.0], np.float32), pull=20.0)
    log_probs = np.full((1, E + 1), -np.inf, np.float32)

    assert (picture.guide(log_probs, [()]) == -np.inf).all()


def test_nothing_pulls_towards_what_may_not_be_said() -> None:
    phrases = Phrases({(A,): 0.1, (B,): 2.0, (C,): 0.1, (A, B): 3.0, (C, A): 1.0})
    expected = np.ones(5, np.float32)

    picture = phrases.of(expected, 1.0, unspeakable=[(A, B, C)])

    guided = picture.guide(np.zeros((1, E + 1), np.float32), [(A,)])
    assert guided[0, B] == 0
    assert guided[0, A] == guided[0, C] == pytest.approx(0.1)
    assert picture.likeness((C, A)) > picture.likeness((B,)) == 0
    assert (expected == 1).all()


def test_an_empty_sentence_is_like_nothing() -> None:
    assert Phrases({(A,): 1.0}).of(np.ones(1, np.float32), pull=1.0).likeness(()) == 0
