"""The shipped mosquitto.conf as it is, with real certificates: a device is who its certificate says."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import ack, caption, status, thresholds, topics
from contract.ack import Ack
from contract.thresholds import Thresholds
from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS, wait_until
from tests.broker.device import NOON, event
from tests.broker.device import status as status_of
from tests.broker.running_service import Running, write_config

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "mosquitto"

PLACES = {"one": "north-gate/pi-01", "two": "north-gate/pi-02"}


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certify(folder: Path, names: dict[str, str]) -> Path:
    """Make an authority and certificates as docs/operations.md says: a common name for each name of a file."""
    folder.mkdir()
    key = ["-newkey", "rsa:2048", "-nodes"]
    own = ["-x509", "-days", "2", "-subj", "/CN=wordcam site authority"]
    openssl(folder, "req", *own, *key, "-keyout", "ca.key", "-out", "ca.crt")
    for file, name in names.items():
        subject = "/CN=" + name.replace("/", r"\/")
        request = ["-keyout", f"{file}.key", "-out", f"{file}.csr", "-subj", subject]
        if file == "server":
            request += ["-addext", "subjectAltName=IP:127.0.0.1"]
        openssl(folder, "req", "-new", *key, *request)
        signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy"]
        openssl(folder, "x509", "-req", "-in", f"{file}.csr", *signer, "-out", f"{file}.crt")
    return folder


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs") / "site"
    return certify(folder, {"server": "mqtt.example", "broker": "broker", **PLACES})


@pytest.fixture
def server(tmp_path: Path, certs: Path) -> Iterator[Mosquitto]:
    """Run the file that is shipped; only where things are differs."""
    running = Mosquitto(tmp_path / "mosquitto")
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    for said, here in (
        ("listener 8883", f"listener {running.port} 127.0.0.1"),
        ("/etc/mosquitto/certs", str(certs)),
        ("/etc/mosquitto/wordcam.acl", str(DEPLOY / "acl")),
        ("/var/lib/mosquitto/", f"{running.folder}/"),
    ):
        assert said in text
        text = text.replace(said, here)
    running.whole = text + "log_type debug\n"
    with running:
        yield running


@dataclass
class Member:
    """A client with a certificate of the site; `heard` fills with what comes, by topic."""

    server: Mosquitto
    certs: Path
    name: str
    subscriptions: tuple[str, ...] = ()
    heard: dict[str, list[bytes]] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        ca_file, cert_file, key_file = (str(self.certs / file) for file in ("ca.crt", *self._own))
        self.client.tls_set(ca_file, cert_file, key_file)
        self.client.on_message = self._hear
        self.client.on_publish = self._note
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.connect(self.server.host, self.server.port)
        self.client.loop_start()
        if self.subscriptions:
            self.client.subscribe([(name, 1) for name in self.subscriptions])
            assert ready.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def say(self, topic: str, payload: bytes) -> str:
        """Publish at QoS 1 and return the server's answer."""
        mid = self.client.publish(topic, payload, qos=1).mid
        wait_until(lambda: mid in self.answers, "the server's answer")
        return self.answers[mid]

    @property
    def _own(self) -> tuple[str, str]:
        return f"{self.name}.crt", f"{self.name}.key"

    def _hear(self, _client: Client, _data: Any, message: Any) -> None:
        self.heard.setdefault(message.topic, []).append(message.payload)

    def _note(self, _client: Client, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        self.answers[mid] = str(reason)


def everything(place: str) -> dict[str, bytes]:
    """Return one message for each channel of a device."""
    site, device = place.split("/")
    return {
        topics.topic(site, device, "caption"): caption.encode(event(site=site, device=device)),
        topics.topic(site, device, "status"): status.encode(status_of(site=site, device=device)),
        topics.topic(site, device, "ack"): ack.encode(Ack(stored=("event-00000000",))),
        topics.topic(site, device, "thresholds"): thresholds.encode(Thresholds(site=site, device=device, at=NOON)),
    }


def test_a_device_is_heard_under_its_own_name_alone(server: Mosquitto, certs: Path) -> None:
    filters = (topics.filter_of("caption"), topics.filter_of("status"))
    with Member(server, certs, "broker", filters) as broker, Member(server, certs, "one") as device:
        forged = [device.say(topic, payload) for topic, payload in everything(PLACES["two"]).items()]
        own = [device.say(topic, payload) for topic, payload in everything(PLACES["one"]).items()]
        wait_until(lambda: len(broker.heard) == 2, "the device's own words")

    assert forged == ["Not authorized"] * 4
    assert own == ["Success", "Success", "Not authorized", "Not authorized"]
    assert all(topic.startswith(f"wordcam/v1/{PLACES['one']}/") for topic in broker.heard)


def test_a_device_hears_the_answers_to_itself_alone(server: Mosquitto, certs: Path) -> None:
    own = {f"wordcam/v1/{PLACES['one']}/{channel}" for channel in ("ack", "thresholds")}
    every = ("#", "wordcam/v1/+/+/+", *everything(PLACES["two"]))
    with (
        Member(server, certs, "one", (*every, *own)) as eavesdropper,
        Member(server, certs, "two") as other,
        Member(server, certs, "broker") as broker,
    ):
        for name, payload in everything(PLACES["two"]).items():
            (broker if name.endswith(("/ack", "/thresholds")) else other).say(name, payload)
        for topic in own:
            broker.say(topic, everything(PLACES["one"])[topic])
        wait_until(lambda: len(eavesdropper.heard) == 2, "what is meant for the device")

        assert set(eavesdropper.heard) == own


def test_a_message_larger_than_any_caption_reaches_nobody(server: Mosquitto, certs: Path) -> None:
    topic = f"wordcam/v1/{PLACES['one']}/caption"
    with Member(server, certs, "broker", (topics.filter_of("caption"),)) as broker:
        with Member(server, certs, "one") as device:
            device.client.publish(topic, b"x" * 5000, qos=1)
        with Member(server, certs, "one") as device:
            device.say(topic, b"small")
        wait_until(lambda: topic in broker.heard, "the small message")

        assert broker.heard[topic] == [b"small"]


def test_the_certificate_of_another_authority_is_refused(tmp_path: Path, server: Mosquitto, certs: Path) -> None:
    foreign = certify(tmp_path / "foreign", {"one": PLACES["one"]})
    context = ssl.create_default_context(cafile=str(certs / "ca.crt"))
    context.load_cert_chain(str(foreign / "one.crt"), str(foreign / "one.key"))

    assert talk(server, context) == b""


def test_without_a_certificate_nobody_is_let_in(server: Mosquitto, certs: Path) -> None:
    assert talk(server, ssl.create_default_context(cafile=str(certs / "ca.crt"))) == b""


def test_with_a_certificate_of_the_site_the_server_answers(server: Mosquitto, certs: Path) -> None:
    context = ssl.create_default_context(cafile=str(certs / "ca.crt"))
    context.load_cert_chain(str(certs / "one.crt"), str(certs / "one.key"))

    assert talk(server, context)[:1] == b"\x20"  # CONNACK


def test_without_tls_nobody_is_let_in(server: Mosquitto) -> None:
    assert talk(server, None) == b""


def talk(server: Mosquitto, context: ssl.SSLContext | None) -> bytes:
    """Send CONNECT and return what comes back, b"" where the server hangs up."""
    connect = bytes.fromhex("100d 0004 4d515454 05 02 003c 00 0000")
    try:
        with socket.create_connection((server.host, server.port), timeout=PATIENCE_SECONDS) as plain:
            line = plain if context is None else context.wrap_socket(plain, server_hostname=server.host)
            with line:
                line.sendall(connect)
                return line.recv(64)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_old_versions_of_tls_are_refused(server: Mosquitto, certs: Path) -> None:
    where = f"{server.host}:{server.port}"
    command = ["openssl", "s_client", "-connect", where, "-tls1_1", "-CAfile", "ca.crt", "-cert", "one.crt"]
    command += ["-key", "one.key", "-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(command, cwd=certs, input=b"", capture_output=True, check=False)

    assert done.returncode != 0
    assert b"Cipher is (NONE)" in done.stdout


def test_the_alert_service_and_a_device_meet_by_their_certificates(
    tmp_path: Path, server: Mosquitto, certs: Path
) -> None:
    files = {"ca_file": "ca.crt", "cert_file": "broker.crt", "key_file": "broker.key"}
    config = write_config(
        tmp_path, server=server, mqtt={"tls": {key: str(certs / file) for key, file in files.items()}}
    )
    gun = event("a gun")
    topic = f"wordcam/v1/{PLACES['one']}/"
    with Running(config) as service, Member(server, certs, "one", (f"{topic}ack",)) as device:
        device.say(f"{topic}caption", caption.encode(gun))
        wait_until(lambda: f"{topic}ack" in device.heard, "the acknowledgement")
        service.wait_said("notification sent")
        service.stop()

    assert ack.decode(device.heard[f"{topic}ack"][0]).stored == (gun.id,)


def test_what_waits_for_the_alert_service_survives_a_restart(server: Mosquitto) -> None:
    assert "persistence true" in server.whole
    assert "autosave_interval 60" in server.whole
