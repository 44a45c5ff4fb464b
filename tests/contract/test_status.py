"""The device status: birth message, heartbeat and last will."""

import json
from typing import Any

import pytest

from contract import status
from contract.errors import Refused
from contract.examples import DEVICE, LAST_WILL, ONLINE, SITE
from contract.status import State


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "asleep"),
        ("site", "gate\n"),
        ("since", "2026-03-01T06:00:00"),
        ("reason", "x" * 121),
        ("ledger", {"frames": -1}),
        ("ledger", {"pictures": 1}),
        ("ledger", {"sent_bytes": 2**63}),
        ("stages", [{"name": "encode", "p50_ms": -1, "p95_ms": 2}]),
    ],
)
def test_a_field_out_of_its_limits_is_refused_by_name(field: str, value: Any) -> None:
    fields = {**json.loads(status.encode(ONLINE)), field: value}

    with pytest.raises(Refused, match=rf"schema: .*\$\.{field}"):
        status.decode(json.dumps(fields).encode())


@pytest.mark.parametrize("expected", [{"site": "south"}, {"device": "pi-02"}], ids=["site", "device"])
def test_a_device_cannot_say_that_another_is_gone(expected: dict[str, str]) -> None:
    with pytest.raises(Refused, match="not-ours"):
        status.decode(status.encode(LAST_WILL), **expected)


def test_a_last_will_says_offline_without_the_time_it_will_be_told() -> None:
    will = status.decode(status.encode(LAST_WILL), site=SITE, device=DEVICE)

    assert (will.state, will.at) == (State.OFFLINE, None)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("field", ["since", "at"])
def test_a_time_that_no_clock_can_show_is_refused(field: str, moment: str) -> None:
    fields = {**json.loads(status.encode(ONLINE)), field: moment}

    with pytest.raises(Refused, match=r"schema: .* is not from 1970 to 2199"):
        status.decode(json.dumps(fields).encode())
