"""The shipped access list of Mosquitto, with passwords in place of certificates (test_certificates.py has those)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.ack import Ack
from contract.ack import encode as encode_ack
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.device import FakeDevice, event
from tests.broker.running_service import Running, write_config

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "mosquitto"

USERS = {"broker": "b", "north-gate/pi-01": "one", "north-gate/pi-02": "two"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto", users=USERS, acl=(DEPLOY / "acl").read_text(encoding="utf-8")) as running:
        yield running


def login(server: Mosquitto, user: str, *, device: str = "pi-01") -> FakeDevice:
    return FakeDevice(server, device=device, username=user, password=USERS[user])


def test_a_device_is_heard_and_answered_under_its_own_name(tmp_path: Path, server: Mosquitto) -> None:
    (tmp_path / "password").write_text(USERS["broker"])
    config = write_config(tmp_path, server=server, mqtt={"username": "broker", "password_file": "password"})
    with Running(config), login(server, "north-gate/pi-01") as device:
        device.say(event())
        device.wait_stored(event())


def test_a_device_cannot_speak_for_another(tmp_path: Path, server: Mosquitto) -> None:
    (tmp_path / "password").write_text(USERS["broker"])
    config = write_config(tmp_path, server=server, mqtt={"username": "broker", "password_file": "password"})
    forged, own = event("a forged gun"), event(device="pi-02")
    with Running(config) as service:
        with login(server, "north-gate/pi-02", device="pi-01") as liar:
            liar.say(forged)
        with login(server, "north-gate/pi-02", device="pi-02") as device:
            device.say(own)
            device.wait_stored(own)
        service.stop()

    assert "Denied PUBLISH" in server.log
    assert service.said("notification queued") == []


def test_a_device_hears_no_answer_to_another(server: Mosquitto) -> None:
    payload = encode_ack(Ack(stored=("event-00000000",)))
    with (
        login(server, "north-gate/pi-02", device="pi-01") as eavesdropper,
        login(server, "north-gate/pi-01") as device,
        login(server, "broker") as broker,
    ):
        broker.shout("wordcam/v1/north-gate/pi-01/ack", payload)
        wait_until(lambda: device.stored == ["event-00000000"], "the answer at the right device")

        assert eavesdropper.stored == []
