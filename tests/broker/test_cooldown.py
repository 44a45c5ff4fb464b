"""When a danger is told of again."""

from datetime import timedelta

import pytest

from broker import cooldown
from broker.cooldown import Notice, Outcome
from tests.broker.device import NOON

TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        (Notice(None, waiting=False), Outcome.FIRST),
        (Notice(None, waiting=True), Outcome.WAITING),
        (Notice(NOON - timedelta(minutes=9), waiting=False), Outcome.TOO_SOON),
        (Notice(NOON - timedelta(minutes=10), waiting=False), Outcome.REPEAT),
        (Notice(NOON - timedelta(minutes=30), waiting=True), Outcome.WAITING),
    ],
    ids=["never told", "on its way", "nine minutes ago", "ten minutes ago", "an older one, and one on its way"],
)
def test_the_time_counts_from_the_last_message_sent(last: Notice, outcome: Outcome) -> None:
    assert cooldown.decide(last, now=NOON, repeat_after=TEN_MINUTES) is outcome
