"""Readings: evidence of different sources, counted from the threshold of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.look.memory import reading
from edge.look.memory.reading import MOST, Reading


@given(st.floats(0, 1))
def test_evidence_at_its_threshold_is_no_excess(probability: float) -> None:
    assert reading.read(probability, probability).excess == 0


@given(st.floats(0.001, 0.999))
def test_log_odds_are_turned_back_into_the_probability(probability: float) -> None:
    assert reading.probability(reading.log_odds(probability)) == pytest.approx(probability)


def test_certainty_counts_no_more_than_the_models_numbers_can_show() -> None:
    assert (reading.log_odds(0.0), reading.log_odds(1.0)) == (-MOST, MOST)


def test_the_source_that_exceeds_its_own_threshold_furthest_is_kept() -> None:
    frame = {"gun": reading.read(0.6, 0.5), "fire": reading.read(0.9, 0.5)}
    crop = {"gun": reading.read(0.9, 0.5)}

    assert reading.strongest([frame, crop]) == {"gun": crop["gun"], "fire": frame["fire"]}
    assert reading.strongest([]) == {}
    assert reading.strongest([frame])["gun"] == Reading(frame["gun"].excess)
