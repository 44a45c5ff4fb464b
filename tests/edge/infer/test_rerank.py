"""Which sentence of the beam is said."""

import numpy as np
import pytest

from contract.bundle import Decoding
from contract.vocabulary import END
from edge.infer import rerank
from edge.infer.beam import Hypothesis
from edge.infer.phrase_prior import Expectation, Phrases

DOG, RUNS, CAT = 4, 5, 6


def said(*tokens: int, total: float) -> Hypothesis:
    return Hypothesis((*tokens, END), total=total)


FOUND = [said(CAT, total=-1.0), said(DOG, RUNS, total=-1.2), said(DOG, total=-1.5)]


def expecting(*, cat: float = 0.0, dog: float = 0.0) -> Expectation:
    return Phrases({(CAT,): 1.0, (DOG,): 1.0}).of(np.array([cat, dog], np.float32), 1.0)


def words(how: Decoding, expectation: Expectation | None = None) -> list[tuple[int, ...]]:
    return [hypothesis.tokens[:-1] for hypothesis in rerank.order(FOUND, how, expectation)]


def test_without_anything_else_the_most_probable_one_is_said() -> None:
    assert words(Decoding()) == [(CAT,), (DOG, RUNS), (DOG,)]


def test_a_bundle_may_ask_for_agreement() -> None:
    assert words(Decoding(consensus=4.0))[-1] == (CAT,)


def test_what_is_expected_of_the_picture_is_said() -> None:
    assert words(Decoding(), expecting(cat=0.1, dog=0.5))[0] == (DOG,)
    assert words(Decoding(), expecting(cat=0.5, dog=0.1))[0] == (CAT,)


@pytest.mark.parametrize(
    ("how", "first"),
    [
        pytest.param(Decoding(confidence_weight=20), (DOG, RUNS), id="confidence is the mean over the words"),
        pytest.param(Decoding(consensus=4.0, agreement_weight=20), (DOG, RUNS), id="agreement counts beside it"),
        pytest.param(Decoding(consensus=4.0), (CAT,), id="and not where it weighs nothing"),
    ],
)
def test_confidence_and_agreement_weigh_in(how: Decoding, first: tuple[int, ...]) -> None:
    assert words(how, expecting(cat=0.2, dog=0.1))[0] == first


def test_no_sentence_at_all_stays_none() -> None:
    assert rerank.order([], Decoding(consensus=1.0), expecting()) == []
