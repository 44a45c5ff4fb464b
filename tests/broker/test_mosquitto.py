"""The shipped Mosquitto configuration, run for real: a device is who its certificate says, and nobody else."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import caption
from contract.ack import Ack
from contract.ack import encode as encode_ack
from tests.broker.device import SOON, FakeDevice, event, wait_until
from tests.broker.running import Running, write_config
from tests.mosquitto import Mosquitto

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"

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
    assert service.said("alert made") == []


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


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificates(folder: Path, *names: str) -> None:
    """Make an authority, and one certificate for each file name and common name (`file=name`)."""
    folder.mkdir()
    key = ["-newkey", "rsa:2048", "-nodes"]
    own = ["-x509", "-days", "2", "-subj", "/CN=wordcam CA"]
    openssl(folder, "req", *own, *key, "-keyout", "ca.key", "-out", "ca.crt")
    for pair in names:
        file, _, name = pair.partition("=")
        subject = "/CN=" + name.replace("/", r"\/")
        openssl(folder, "req", "-new", *key, "-keyout", f"{file}.key", "-out", f"{file}.csr", "-subj", subject)
        (folder / "ext").write_text("subjectAltName = IP:127.0.0.1\n")
        signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"]
        openssl(folder, "x509", "-req", "-in", f"{file}.csr", *signer, "-out", f"{file}.crt")


def shipped_lines(folder: Path, certs: Path) -> list[str]:
    """Give the shipped configuration, with its files in a test's folder; the listener is the test's own."""
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/mosquitto/certs", str(certs)).replace("/etc/mosquitto/wordcam.acl", str(DEPLOY / "acl"))
    text = text.replace("/var/lib/mosquitto/", f"{folder}/")
    own = ("#", "listener ", "allow_anonymous ")
    return [line for line in text.splitlines() if line and not line.startswith(own)]


def test_the_shipped_configuration_knows_devices_by_their_certificates(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    certificates(certs, "server=127.0.0.1", "broker=broker", "device=north-gate/pi-01")
    lines = shipped_lines(tmp_path / "mosquitto", certs)
    with Mosquitto(tmp_path / "mosquitto", lines=["allow_anonymous false", *lines]) as server:
        files = {"ca_file": "ca.crt", "cert_file": "broker.crt", "key_file": "broker.key"}
        tls = {field: str(certs / file) for field, file in files.items()}
        config = write_config(tmp_path, server=server, mqtt={"tls": tls})
        with Running(config) as service:
            device = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
            device.tls_set(str(certs / "ca.crt"), str(certs / "device.crt"), str(certs / "device.key"))
            device.connect(server.host, server.port)
            device.loop_start()
            for place in ("north-gate/pi-01", "north-gate/pi-02"):
                site, name = place.split("/")
                forged = event("a gun", site=site, device=name)
                device.publish(f"wordcam/v1/{place}/caption", caption.encode(forged), qos=1).wait_for_publish(SOON)
            service.wait_said("alert sent")
            device.disconnect()
            device.loop_stop()
            service.stop()

    assert len(service.said("alert made")) == 1
    assert "Denied PUBLISH" in server.log
