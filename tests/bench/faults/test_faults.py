"""A few kills of every process of a device and its server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.faults import __main__ as faults
from bench.faults.network_cut import Relay
from testing import loopback
from testing.mosquitto import Mosquitto, find

ROOT = Path(__file__).resolve().parents[3]


def test_after_ten_kills_nothing_is_lost_or_doubled(tiny: Path, tmp_path: Path) -> None:
    find()
    program = [sys.executable, "-m", "bench.faults", "--kills", "10", "--bundle", str(tiny), "--json"]

    done = subprocess.run(
        [*program, "--keep", str(tmp_path / "kept")], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 0, (done.stdout, done.stderr)
    found = json.loads(done.stdout)
    assert sum(found["kills"].values()) == 10
    assert found["stored"] == found["accepted"] > 0


@pytest.mark.parametrize("wrong", ["lost", "doubled", "waiting", "given_up", "gave_up"])
def test_whatever_is_wrong_is_found(wrong: str) -> None:
    right = dict.fromkeys(("lost", "doubled", "waiting", "given_up", "gave_up"), 0)

    assert faults.is_good(right)
    assert not faults.is_good(right | {wrong: 1})


def test_a_network_that_is_cut_takes_no_connection_until_it_is_mended(mosquitto: Mosquitto) -> None:
    with Relay(mosquitto.port) as relay:
        assert loopback.listens(relay.port)
        relay.cut()
        assert not loopback.listens(relay.port)
        relay.mend()
        assert loopback.listens(relay.port)
