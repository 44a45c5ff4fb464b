"""Which danger hides behind which."""

import pytest

from broker.config.incidents import Inhibition
from broker.config.section import Severity
from broker.incidents.incident import Incident
from broker.incidents.policy import inhibition
from tests.broker.incidents.policy.cases import incident

SMOKE_BEHIND_FIRE = (Inhibition(during=("fire",), hold_back=("smoke",)),)
FIRE = incident(danger="fire")


@pytest.mark.parametrize(
    ("beside", "danger", "severity", "hides"),
    [
        pytest.param(FIRE, "smoke", "critical", True, id="smoke beside a fire"),
        pytest.param(FIRE, "gun", "critical", False, id="a gun beside a fire"),
        pytest.param(incident(danger="gun"), "smoke", "warning", False, id="smoke beside a gun"),
        pytest.param(
            incident(danger="fire", notified=None), "smoke", "warning", False, id="a fire that nobody was told of"
        ),
        pytest.param(incident(danger="fire", severity="info"), "smoke", "warning", False, id="a lesser fire"),
    ],
)
def test_a_danger_hides_behind_a_greater_one_that_people_know_of(
    beside: Incident, danger: str, severity: Severity, hides: bool
) -> None:
    found = inhibition.find(SMOKE_BEHIND_FIRE, [beside], danger=danger, severity=severity)

    assert bool(found) == hides
