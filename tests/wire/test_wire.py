"""Every packet that leaves a device: MQTT over TLS to its server, the contract's messages in it, and nothing else."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from contract import ack, caption, status, thresholds, topics, wire
from testing import mosquitto
from testing.waiting import wait_until
from tests.wire import capture, packets
from tests.wire.namespaces import Machine, captured, join, machines
from tests.wire.packets import End, Traffic

pytestmark = [pytest.mark.wire, pytest.mark.timeout(1200)]

DEVICE, SERVER, CAMERA = "10.77.0.2", "10.77.0.1", "10.78.0.1"
TLS_PORT, PLAIN_PORT, CAMERA_PORT = 8883, 1883, 8554

HOURS = 24
LOOKS_PER_HOUR = 60
"""A look a minute of the day's film, played as fast as it goes; each look is unlike the one before."""

PER_MESSAGE = 40
"""Bytes of MQTT around a payload and its topic at most: header, lengths, packet identifier, properties."""

SESSION = 4096
"""Bytes of handshake, CONNECT with its will, SUBSCRIBE and DISCONNECT at most."""

DECODERS: dict[str, Callable[[bytes], object]] = {
    "caption": caption.decode,
    "status": status.decode,
    "ack": ack.decode,
    "thresholds": thresholds.decode,
}


@dataclass(frozen=True)
class Site:
    device: Machine
    server: Machine
    camera: Machine
    folder: Path

    def messages(self) -> list[tuple[str, bytes]]:
        lines = (self.folder / "messages").read_text(encoding="utf-8").splitlines()
        return [(topic, payload.encode("latin-1")) for topic, payload in map(json.loads, lines)]

    def captions(self) -> int:
        return sum(topic.endswith("/caption") for topic, _ in self.messages())

    def configure(self, bundle: Path, camera: dict[str, object]) -> Path:
        path = self.folder / "edge.yaml"
        tree = {
            "site": "lab",
            "device": "dev-1",
            "bundle": str(bundle),
            "camera": camera,
            "gate": {"min_gap_seconds": 0},
            "outbox": {"path": "outbox/outbox.sqlite"},
            "mqtt": {"host": SERVER, "port": TLS_PORT, "tls": {"ca_file": "server.pem"}},
            "as_root": True,
        }
        path.write_text(yaml.safe_dump(tree), encoding="utf-8")
        return path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A device, a server and a camera, each its own machine; the device has a cable to either."""
    with machines("dev", "srv", "cam") as (device, server, camera):
        join(device, server, "to-server", DEVICE, SERVER)
        join(device, camera, "to-camera", "10.78.0.2", CAMERA)
        yield Site(device, server, camera, tmp_path)


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """Run Mosquitto with TLS and the service beside it, on the server."""
    folder = site.folder
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "server.key",
        "-out",
        "server.pem",
    ]
    name = ["-subj", "/CN=server", "-addext", f"subjectAltName=IP:{SERVER}"]
    subprocess.run(["openssl", "req", "-x509", *made, *name], check=True, capture_output=True, cwd=folder)
    files = f"certfile {folder}/server.pem\nkeyfile {folder}/server.key"
    lines = f"user root\nlistener {TLS_PORT} {SERVER}\n{files}\nlistener {PLAIN_PORT} 127.0.0.1\nallow_anonymous true\n"
    (folder / "mosquitto.conf").write_text(lines, encoding="utf-8")
    program = ["ip", "netns", "exec", site.server.name, mosquitto.find(), "-c", str(folder / "mosquitto.conf")]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as broker:
        try:
            with reachable(site):
                yield
        finally:
            broker.terminate()


@contextmanager
def reachable(site: Site) -> Iterator[None]:
    arguments = ("-m", "tests.wire.service", "127.0.0.1", PLAIN_PORT, site.folder / "messages")
    wait_until(lambda: connects(site.server, PLAIN_PORT), "Mosquitto")
    with site.server.running(*arguments, log=site.folder / "service.log"):
        wait_until((site.folder / "messages").exists, "the service")
        yield


def connects(machine: Machine, port: int) -> bool:
    program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
    return machine.start("-c", program, log=Path("/dev/null")).wait() == 0


def require_only_mqtt_over_tls(traffic: Traffic, messages: list[tuple[str, bytes]]) -> int:
    """Fail where anything else was on the cable to the server; return the bytes that the device sent to it."""
    assert traffic.others == set()
    server = End(SERVER, TLS_PORT)
    assert all(server in ends and {end.address for end in ends} == {DEVICE, SERVER} for ends in traffic.segments)
    sent = [ends for ends in traffic.segments if ends[1] == server]
    streams = {ends: traffic.stream(*ends) for ends in traffic.segments if traffic.segments[ends]}
    hidden = 0
    for ends, stream in streams.items():
        assert b"wordcam" not in stream, "in the clear"
        found = packets.records(stream)
        if ends in sent:
            hidden += sum(size - packets.HIDDEN for kind, size in found if kind == 23)
    said = [(topic, payload) for topic, payload in messages if not topic.endswith("/ack")]
    acknowledged = sum(topic.endswith("/ack") for topic, _ in messages)
    accounted = sum(len(topic) + len(payload) + PER_MESSAGE for topic, payload in said) + acknowledged * PER_MESSAGE
    assert hidden <= accounted + SESSION * len(sent), "more left than the messages account for"
    return sum(len(streams[ends]) for ends in sent if ends in streams)


def require_the_contract(messages: list[tuple[str, bytes]]) -> None:
    for topic, payload in messages:
        address = topics.parse(topic)
        assert (address.site, address.device) == ("lab", "dev-1")
        assert len(payload) <= wire.MAX_BYTES
        decode = DECODERS[address.channel]
        decode(payload)


def test_a_day_on_the_wire_is_sentences(site: Site, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = site.folder / "day"
    pictures.mkdir()
    for number in range(HOURS * LOOKS_PER_HOUR):
        colour = [(0, 0, 255), (0, 255, 0), (255, 0, 0)][number % 3]
        cv2.imwrite(str(pictures / f"{number:05}.jpg"), np.full((120, 160, 3), colour, np.uint8))
    day = {"kind": "replay", "path": str(pictures), "pace": "fast", "looks_per_second": LOOKS_PER_HOUR / 3600}
    config = site.configure(tiny, day)

    with (
        captured(site.device, "to-server", site.folder / "to-server.packets") as cable,
        captured(site.device, "to-camera", site.folder / "to-camera.packets") as other,
        serving(site),
    ):
        done = site.device.start("-m", "edge.cli", "run", "--config", config, log=site.folder / "edge.log").wait()
    assert done == 0, (site.folder / "edge.log").read_text(encoding="utf-8")

    messages, traffic = site.messages(), packets.read(capture.read(cable))
    require_the_contract(messages)
    sent = require_only_mqtt_over_tls(traffic, messages)
    assert not packets.read(capture.read(other)).segments, "nothing on the other cable"
    with capsys.disabled():
        sys.stdout.write(
            f"\na day: {site.captions()} captions; {traffic.packets} packets, {traffic.size:,} bytes both ways with "
            f"all headers; the device sent {sent:,} bytes of TLS, {sent / HOURS:,.0f} in an hour\n"
        )


def test_a_network_camera_gets_a_request_and_the_server_sentences(site: Site, tiny: Path) -> None:
    url = f"http://{CAMERA}:{CAMERA_PORT}/stream.mjpg"
    config = site.configure(tiny, {"kind": "rtsp", "url": url, "looks_per_second": 10})

    with (
        captured(site.device, "to-server", site.folder / "to-server.packets") as cable,
        captured(site.device, "to-camera", site.folder / "to-camera.packets") as other,
        serving(site),
        site.camera.running("-m", "tests.wire.camera", CAMERA, CAMERA_PORT, log=site.folder / "camera.log"),
        site.device.running("-m", "edge.cli", "run", "--config", config, log=site.folder / "edge.log"),
    ):
        wait_until(lambda: site.captions() > 5, "captions of a network camera")

    require_the_contract(site.messages())
    require_only_mqtt_over_tls(packets.read(capture.read(cable)), site.messages())
    traffic = packets.read(capture.read(other))
    camera = End(CAMERA, CAMERA_PORT)
    asked = [ends for ends in traffic.segments if ends[1] == camera]
    assert traffic.others == set()
    assert all(camera in ends for ends in traffic.segments)
    for ends in asked:
        request = traffic.stream(*ends)
        assert request.startswith(b"GET /stream.mjpg HTTP/1.1\r\n")
        assert request.count(b"GET ") == 1
        assert len(request) < 500, "nothing goes back to the camera but the request"
