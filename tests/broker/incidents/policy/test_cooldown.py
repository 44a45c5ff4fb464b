"""When a danger that is seen is told, told again, or told later."""

import pytest

from broker.incidents.incident import Incident, LastNotified, State
from broker.incidents.policy import cooldown
from broker.incidents.policy.cooldown import Timing
from broker.notify.notifications import SendStatus
from broker.store.outcome import Outcome
from tests.broker.device import NOON
from tests.broker.incidents.policy.cases import incident, minutes

TIMING = Timing(cooldown=minutes(10), update=minutes(3), acknowledged=minutes(60))
TWO = ("pi-01/cam-0", "pi-01/cam-1")


def sent(ago: float) -> SendStatus:
    return SendStatus(sent_at=NOON - minutes(ago))


WAITING = SendStatus(waiting=True)
ANSWERED = incident(state=State.ACKNOWLEDGED)
GREW = incident(notified=LastNotified("warning", ("pi-01/cam-0",)))
SPREAD = incident(cameras=TWO)


@pytest.mark.parametrize(
    ("incident", "notice", "outcome"),
    [
        pytest.param(incident(notified=None), SendStatus(), Outcome.FIRST, id="nobody was told"),
        pytest.param(incident(), WAITING, Outcome.WAITING, id="the first message is on its way"),
        pytest.param(incident(), sent(9), Outcome.TOO_SOON, id="sent nine minutes ago"),
        pytest.param(incident(), sent(10), Outcome.REPEAT, id="sent ten minutes ago"),
        pytest.param(
            incident(), SendStatus(NOON - minutes(30), waiting=True), Outcome.WAITING, id="a repeat is on its way"
        ),
        pytest.param(ANSWERED, sent(59), Outcome.TOO_SOON, id="someone takes care"),
        pytest.param(ANSWERED, sent(60), Outcome.REPEAT, id="someone takes care, and yet after an hour"),
        pytest.param(GREW, sent(0), Outcome.UPDATE, id="it grew a moment later"),
        pytest.param(GREW, WAITING, Outcome.UPDATE, id="it grew while the first message is on its way"),
        pytest.param(SPREAD, sent(2), Outcome.LATER, id="another camera, too soon"),
        pytest.param(SPREAD, sent(3), Outcome.UPDATE, id="another camera"),
        pytest.param(SPREAD, WAITING, Outcome.LATER, id="another camera while a message is on its way"),
        pytest.param(incident(), SendStatus(failed_at=NOON - minutes(9)), Outcome.TOO_SOON, id="all numbers were dead"),
        pytest.param(incident(), SendStatus(failed_at=NOON - minutes(10)), Outcome.FIRST, id="dead ten minutes ago"),
    ],
)
def test_the_time_counts_from_the_last_message_sent(incident: Incident, notice: SendStatus, outcome: Outcome) -> None:
    verdict = cooldown.decide(incident, notice, now=NOON, timing=TIMING)

    assert verdict.outcome is outcome
    assert verdict.reasons


def test_what_is_not_there_is_not_repeated() -> None:
    assert cooldown.decide(incident(), sent(60), now=NOON, timing=TIMING, seen=False).outcome is Outcome.TOO_SOON


def test_what_is_put_off_says_when_it_is_due() -> None:
    assert cooldown.decide(SPREAD, sent(1), now=NOON, timing=TIMING).look_at == NOON + minutes(2)


SUSPECTED = incident(notified=LastNotified("critical", ("pi-01/cam-0",), suspected=True))


@pytest.mark.parametrize(
    ("incident", "named", "outcome"),
    [
        pytest.param(SUSPECTED, True, Outcome.UPDATE, id="a sentence names what was suspected"),
        pytest.param(SUSPECTED, False, Outcome.TOO_SOON, id="it is still only suspected"),
        pytest.param(incident(), True, Outcome.TOO_SOON, id="it was named before"),
        pytest.param(
            incident(notified=SUSPECTED.notified, state=State.ACKNOWLEDGED), True, Outcome.TOO_SOON, id="answered"
        ),
        pytest.param(
            incident(notified=LastNotified("warning", ("pi-01/cam-0",), suspected=True), severity="warning"),
            True,
            Outcome.TOO_SOON,
            id="not critical",
        ),
    ],
)
def test_a_sentence_that_names_what_was_suspected_is_news(incident: Incident, named: bool, outcome: Outcome) -> None:
    verdict = cooldown.decide(incident, sent(1), now=NOON, timing=TIMING, named=named)

    assert verdict.outcome is outcome
