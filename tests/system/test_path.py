"""The whole path as processes: a picture on the device, a sentence on the wire, a text message at the provider."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import caption, topics, wire
from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.running_service import Running
from tests.system.device import Device


def summary_of(service: Running) -> dict[str, Any]:
    """Stop the service and read what it counted."""
    assert service.stop() == 0
    found: dict[str, Any] = json.loads((service.config.parent / "summary.json").read_text(encoding="utf-8"))
    return found


def seen_by_watch(service: Running) -> str:
    """Return what `wordcam-broker watch` shows of the stored captions."""
    program = [sys.executable, "-c", "from broker.cli.main import console; console()"]
    arguments = ["watch", "--once", "--last", "100", "--config", str(service.config)]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, check=True).stdout


def test_a_picture_becomes_a_sentence_an_alert_and_a_text_message(
    device: Device, service: Running, twilio: FakeTwilio
) -> None:
    with service:
        device.run_summarised()
        wait_until(lambda: len(twilio.messages) > 0, "a text message")
        watched = seen_by_watch(service)
        counted = summary_of(service)

    ledger = device.summary["ledger"]
    assert (ledger["captions"], ledger["waiting"], ledger["given_up"]) == (12, 0, 0)
    assert counted["captions"] == 12
    assert counted["refused"] == {}
    assert len(re.findall("a fire burning", watched)) == 4
    assert [message.to for message in twilio.messages] == ["+12025550143"]
    assert twilio.texts[0].startswith("ALERT Fire - North Gate, Device 1, Lobby camera")
    assert "a fire burning" in twilio.texts[0]


def test_captions_wait_on_the_device_until_the_alert_service_has_them(
    device: Device, service: Running, twilio: FakeTwilio
) -> None:
    device.run("look")
    assert device.waiting() == 12

    with device.sending(), service:
        wait_until(lambda: device.waiting() == 0, "an empty outbox")
        counted = summary_of(service)

    assert counted["captions"] == 12
    assert len(twilio.messages) == 1


def test_nothing_is_lost_or_told_twice_when_every_process_is_killed_in_turn(
    device: Device, service: Running, twilio: FakeTwilio, mosquitto: Mosquitto
) -> None:
    device.run("look")
    with device.sending() as sender:
        sender.kill()
    mosquitto.kill()
    mosquitto.start()
    with service:
        with device.sending():
            service.stop(signal.SIGKILL)
            mosquitto.kill()
            mosquitto.start()
            service.start()
            wait_until(lambda: device.waiting() == 0, "an empty outbox")
        wait_until(lambda: len(twilio.messages) > 0, "a text message")
        watched = seen_by_watch(service)
        assert service.stop() == 0

    assert len(re.findall("Lobby camera", watched)) == 12
    assert len(twilio.messages) == 1


def test_everything_on_the_wire_is_a_small_legible_message(
    device: Device, service: Running, mosquitto: Mosquitto
) -> None:
    heard: list[tuple[str, bytes]] = []
    listener = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    listener.on_message = lambda _client, _userdata, message: heard.append((message.topic, bytes(message.payload)))
    listener.connect(mosquitto.host, mosquitto.port)
    listener.subscribe("#", qos=1)
    listener.loop_start()
    with service:
        device.run_summarised()
    listener.disconnect()
    listener.loop_stop()

    assert {topics.parse(topic).channel for topic, _ in heard} == {"caption", "status", "ack"}
    for topic, payload in heard:
        assert len(payload) <= wire.MAX_BYTES
        assert json.loads(payload), topic
    captions = [caption.decode(payload) for topic, payload in heard if topic.endswith("/caption")]
    assert len({event.id for event in captions}) == 12


def test_the_process_that_sees_has_no_network_and_the_one_with_the_network_sees_nothing(device: Device) -> None:
    try_it = [sys.executable, "-c", "from edge.process import sandbox; print(sandbox.leave_network(), end='')"]
    refusal = subprocess.run(try_it, check=True, capture_output=True, text=True).stdout
    if refusal:
        pytest.skip(f"no process can leave the network here: {refusal}")
    tree = device.config.read_text(encoding="utf-8").replace("pace: fast", "pace: real\n  loop: true")
    device.config.write_text(tree, encoding="utf-8")

    with device.running("run") as whole:
        look, send = (_child(whole.pid, verb) for verb in ("look", "send"))
        wait_until(lambda: "network left" in device.log, "the process that looks to leave the network")

        assert _network_of(look) != _network_of("self")
        assert _network_of(send) == _network_of("self")
        assert _interfaces(look) == {"lo"}
        assert not re.search("cv2|numpy|litert|tflite", Path(f"/proc/{send}/maps").read_text(encoding="utf-8"))


def _child(parent: int, verb: str) -> int:
    """Wait for the child process that runs a verb, and return its id."""
    found: list[int] = []

    def there() -> bool:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split():
            if verb in Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0"):
                found.append(int(child))
        return bool(found)

    wait_until(there, f"the process `{verb}`")
    return found[0]


def _network_of(process: int | str) -> str:
    return str(Path(f"/proc/{process}/ns/net").readlink())


def _interfaces(process: int) -> set[str]:
    lines = Path(f"/proc/{process}/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}
