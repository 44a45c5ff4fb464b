"""When an incident is over by itself."""

import pytest

from broker.incidents.policy import auto_resolve
from broker.incidents.policy.auto_resolve import Lasting, Open, Over
from broker.notify.notifications import SendStatus
from broker.notify.reasons import NotSeenFor
from tests.broker.device import NOON
from tests.broker.incidents.policy.cases import incident, minutes

LASTING = Lasting(quiet=minutes(15), cooldown=minutes(30))
SEEN_AT_NOON = incident()


@pytest.mark.parametrize(
    ("after", "notice", "escalating", "ends"),
    [
        pytest.param(14, SendStatus(), False, 15, id="seen a while ago"),
        pytest.param(15, SendStatus(), False, None, id="not seen for long"),
        pytest.param(15, SendStatus(sent_at=NOON), False, 30, id="told of within the cooldown"),
        pytest.param(30, SendStatus(sent_at=NOON), False, None, id="told of before the cooldown"),
        pytest.param(60, SendStatus(sent_at=NOON), True, 75, id="someone is still to be told"),
        pytest.param(60, SendStatus(waiting=True), False, 75, id="a message is still on its way"),
    ],
)
def test_an_incident_lasts_until_it_is_quiet_and_told(
    after: float, notice: SendStatus, escalating: bool, ends: float | None
) -> None:
    decision = auto_resolve.decide(SEEN_AT_NOON, notice, LASTING, now=NOON + minutes(after), escalating=escalating)

    assert decision == (Over(NotSeenFor(round(after))) if ends is None else Open(NOON + minutes(ends)))
