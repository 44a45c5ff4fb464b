"""How often a danger must be seen."""

from datetime import timedelta

import pytest

from broker.rules.reasons import SeenTooRarely
from broker.rules.threshold import ONCE, Need

THREE_OF_FIVE = Need(3, 5, timedelta(seconds=10))


@pytest.mark.parametrize(
    ("before", "enough"),
    [
        ([], False),
        ([True], False),
        ([True, True], True),
        ([False, True, False, True], True),
        ([False, True, False, False, True], False),
    ],
)
def test_a_sighting_counts_with_those_before_it(before: list[bool], enough: bool) -> None:
    assert (THREE_OF_FIVE.missing(before) is None) == enough


def test_it_says_how_many_are_missing() -> None:
    assert THREE_OF_FIVE.missing([True]) == SeenTooRarely(2, of=5, within_seconds=10, needed=3)


def test_once_may_be_enough() -> None:
    assert ONCE.missing([]) is None
