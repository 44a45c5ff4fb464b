"""When a device is lost, as a table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from broker.config.incidents import PresenceSettings
from broker.incidents.presence import detector
from broker.incidents.presence.detector import Cause, Presence
from contract.status import Condition, State

NOW = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)
SETTINGS = PresenceSettings(quiet_seconds=180, offline_seconds=60, blind_seconds=300)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def presence(**changes: Any) -> Presence:
    facts: dict[str, Any] = {
        "site": "north-gate",
        "device": "pi-01",
        "state": State.ONLINE,
        "reason": "",
        "heard_at": ago(10),
        "changed_at": ago(9000),
        "frames_at": ago(10),
    }
    return Presence(**(facts | changes))


@pytest.mark.parametrize(
    ("known", "cause", "left"),
    [
        pytest.param(presence(), None, None, id="well"),
        pytest.param(presence(frames_at=None), None, None, id="one that counts no frames"),
        pytest.param(presence(reason="a lens is dirty"), None, None, id="some other reason"),
        pytest.param(presence(heard_at=ago(90)), None, None, id="between two heartbeats"),
        pytest.param(presence(heard_at=ago(100)), Cause.QUIET, 80, id="quiet, not yet lost"),
        pytest.param(presence(heard_at=ago(200)), Cause.QUIET, -20, id="quiet"),
        pytest.param(presence(state=State.OFFLINE, changed_at=ago(5)), Cause.GONE, 55, id="gone, perhaps restarting"),
        pytest.param(presence(state=State.OFFLINE, changed_at=ago(70)), Cause.GONE, -10, id="gone"),
        pytest.param(
            presence(reason="camera gone: /dev/video0", changed_at=ago(61)),
            Cause.NO_CAMERA,
            -1,
            id="its camera is gone",
        ),
        pytest.param(
            presence(reason="camera gone: x", changed_at=ago(61), heard_at=ago(181)),
            Cause.QUIET,
            -1,
            id="its camera is gone, and then itself",
        ),
        pytest.param(
            presence(reason="camera condition covered: cam-0", changed_at=ago(61)),
            Cause.COVERED,
            -1,
            id="something hides the view",
        ),
        pytest.param(presence(frames_at=ago(320)), Cause.NO_PICTURE, -20, id="speaks and does not look"),
        pytest.param(presence(frames_at=ago(305)), None, None, id="its last status says that it looked"),
    ],
)
def test_a_device_is_lost_when_patience_ends(known: Presence, cause: Cause | None, left: float | None) -> None:
    outage = detector.judge(known, now=NOW, settings=SETTINGS)

    assert (outage and outage.cause) == cause
    assert (outage and (outage.lost_at - NOW).total_seconds()) == left


def test_a_condition_that_the_settings_leave_out_is_no_outage() -> None:
    known = presence(reason="camera condition dark: cam-0", changed_at=ago(600))
    unlit = PresenceSettings(conditions=tuple(one for one in Condition if one is not Condition.DARK))

    assert detector.judge(known, now=NOW, settings=unlit) is None
    assert detector.judge(known, now=NOW, settings=SETTINGS) is not None
