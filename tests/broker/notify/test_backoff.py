"""How long a failed message waits."""

from datetime import timedelta

import pytest

from broker.notify import backoff

FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=10)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 600), (9, 600), (10_000, 600)]
)
def test_the_wait_doubles_up_to_a_limit(attempts: int, seconds: float) -> None:
    assert backoff.wait(attempts, first=FIRST, longest=LONGEST, jitter=1) == timedelta(seconds=seconds)


def test_jitter_keeps_half_to_all_of_the_wait() -> None:
    assert backoff.wait(1, first=FIRST, longest=LONGEST, jitter=0) == FIRST / 2
