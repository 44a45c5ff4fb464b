"""Waiting before trying again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.process import backoff


def test_the_wait_doubles_up_to_the_maximum() -> None:
    waits = [backoff.delay(attempt, first=1, maximum=30, chance=0) for attempt in range(7)]

    assert waits == [1, 2, 4, 8, 16, 30, 30]


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_chance_takes_at_most_half(attempt: int, chance: float) -> None:
    full = backoff.delay(attempt, first=0.5, maximum=60, chance=0)

    assert full / 2 <= backoff.delay(attempt, first=0.5, maximum=60, chance=chance) <= full
    assert backoff.delay(attempt, first=0.5, maximum=60, chance=chance) == pytest.approx(full * (1 - chance / 2))
