"""Of several sentences, the one that the others agree with."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.infer import minimum_bayes_risk


def order(sentences: Sequence[Sequence[int]], totals: Sequence[float], temperature: float) -> list[int]:
    """The places of the sentences, the one that agrees most with all of them first."""
    agreed = minimum_bayes_risk.agreement(sentences, totals, temperature)
    return sorted(range(len(sentences)), key=lambda at: -agreed[at])


SENTENCES = st.lists(st.lists(st.integers(4, 9), min_size=1, max_size=8), min_size=1, max_size=8)


def test_the_odd_one_out_is_not_said_although_it_is_the_most_probable() -> None:
    dog, brown_dog, small_dog = (4, 5, 6, 7), (4, 5, 6, 7, 8), (4, 5, 6, 9)
    cat = (10, 11, 12)

    ranked = order([cat, dog, brown_dog, small_dog], [-1.0, -1.2, -1.3, -1.4], temperature=4.0)

    assert ranked[0] == 1
    assert ranked[-1] == 0


def test_where_all_weight_is_on_one_sentence_that_one_is_said() -> None:
    ranked = order([(10, 11), (4, 5), (4, 5, 6)], [-1.0, -30.0, -31.0], temperature=0.5)

    assert ranked[0] == 0


def test_the_same_sentence_is_wholly_alike_and_another_not_at_all() -> None:
    likeness = minimum_bayes_risk.alike([(4, 5, 6, 4), (7, 8, 9)])

    assert likeness[0, 0] == pytest.approx(1.0)
    assert likeness[0, 1] == 0.0


def test_a_word_said_more_often_than_the_other_says_it_counts_no_more() -> None:
    # One-word n-grams: min(3, 1) * 1 of norms 3 and 1; no longer ones are shared.
    often_as_once = minimum_bayes_risk.alike([(4, 4, 4), (4,)])[0, 1]

    assert often_as_once == pytest.approx(1 / 3 / 3 * math.exp(-4 / 72))


@given(SENTENCES, st.floats(0.1, 10))
def test_every_sentence_has_its_place_and_likeness_stays_within_bounds(sentences: list[list[int]], warm: float) -> None:
    totals = [-float(len(sentence)) for sentence in sentences]

    assert sorted(order(sentences, totals, warm)) == list(range(len(sentences)))
    likeness = minimum_bayes_risk.alike(sentences)
    assert (likeness >= 0).all()
    assert (likeness <= 1 + 1e-9).all()


def test_one_sentence_needs_no_agreement() -> None:
    assert minimum_bayes_risk.agreement([(4, 5, 6)], [-3.0], temperature=1.0) == [pytest.approx(1.0)]
    assert minimum_bayes_risk.agreement([], [], temperature=1.0) == []
