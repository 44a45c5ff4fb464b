"""Which dangers a sentence denies."""

import pytest

from broker.rules import negation, phrase
from broker.rules import sentence as sentences


def denial(sentence: str, danger: str = "gun") -> str | None:
    read = sentences.read(sentence)
    (span,) = phrase.compile(danger, {}).spans(read)
    return negation.denial(read.words, span)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("no gun", "no"),
        ("there is no visible gun", "no"),
        ("a man without a gun", "without"),
        ("a man without any sign of a gun", "without"),
        ("he is not holding a gun", "not"),
        ("he isn't holding a gun", "isn't"),
        ("he doesn’t have a gun", "doesn't"),
        ("nobody is holding a gun", "nobody"),
        ("no one has a gun", "no"),
        ("without a knife or gun", "without"),
    ],
)
def test_a_danger_is_denied(sentence: str, word: str) -> None:
    assert denial(sentence) == word


@pytest.mark.parametrize(
    "sentence",
    [
        "a gun",
        "a man with no shirt holding a gun",
        "a man without a shirt and with a gun",
        "no, a gun",
        "there is no doubt that he has a gun",
        "not far from the old man is a gun",
        "a gun and no knife",
    ],
)
def test_a_danger_stands(sentence: str) -> None:
    assert denial(sentence) is None
