"""Which danger joins the incident of which."""

import pytest

from broker.config.incidents import ONE_WEAPON
from broker.incidents.incident import Incident
from broker.incidents.policy import joining
from tests.broker.incidents.policy.cases import incident

HERE = "pi-01/cam-0"
WEAPON = incident(danger="weapon")


@pytest.mark.parametrize(
    ("beside", "danger", "camera", "joins"),
    [
        pytest.param(WEAPON, "knife", HERE, True, id="a weapon is seen to be a knife"),
        pytest.param(incident(danger="knife"), "weapon", HERE, True, id="a knife is no longer seen clearly"),
        pytest.param(incident(danger="gun"), "knife", HERE, True, id="a gun looks like a knife"),
        pytest.param(WEAPON, "gun", HERE, False, id="a gun is news"),
        pytest.param(WEAPON, "knife", "pi-01/cam-1", False, id="a knife at another camera"),
        pytest.param(WEAPON, "fire", HERE, False, id="a fire beside a weapon"),
        pytest.param(incident(danger="weapon", notified=None), "knife", HERE, False, id="a weapon nobody knows of"),
        pytest.param(incident(danger="weapon", severity="warning"), "knife", HERE, False, id="a lesser weapon"),
    ],
)
def test_one_weapon_at_one_camera_is_one_incident(beside: Incident, danger: str, camera: str, joins: bool) -> None:
    found = joining.find(ONE_WEAPON, [beside], danger=danger, camera=camera, severity="critical")

    assert (found is beside) == joins
