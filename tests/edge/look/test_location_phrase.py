"""Where something is, in words."""

import pytest

from contract import caption
from edge.look import location_phrase
from edge.look.crops import Region


def region(left: float, side: float = 0.2, tallest: float = 0.3) -> Region:
    return Region(left, 0.4, side, 0.9, tallest)


@pytest.mark.parametrize(
    ("where", "language", "told"),
    [
        (region(0.0), "en", "on the left: a man is holding a gun"),
        (region(0.4, tallest=0.2), "en", "in the middle, far away: a man is holding a gun"),
        (region(0.8, tallest=0.6), "en", "on the right, close by: a man is holding a gun"),
        (region(0.0, tallest=0.1), "ko", "왼쪽 멀리: a man is holding a gun"),
        (region(0.4), "ko", "가운데: a man is holding a gun"),
        (region(0.8, tallest=0.6), "ko", "오른쪽 가까이: a man is holding a gun"),
        (region(0.8), "de", "a man is holding a gun"),
    ],
)
def test_the_sentence_says_where(where: Region, language: str, told: str) -> None:
    assert location_phrase.tell("a man is holding a gun", where, language) == told


@pytest.mark.parametrize("language", location_phrase.WORDS)
def test_the_longest_sentence_stays_a_caption(language: str) -> None:
    told = location_phrase.tell(" ".join(["word"] * 60), region(0.4, tallest=0.1), language)

    assert len(caption.one_line(told.split())) <= caption.MAX_TEXT_CHARS
