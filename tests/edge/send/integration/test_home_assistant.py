"""What Home Assistant is sent and may say, over a real Mosquitto with the access list that comes along."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from edge import config
from edge.errors import Misconfigured
from edge.outbox import arming
from edge.outbox.outbox import Outbox
from edge.send import mqtt as mqtt_connection
from edge.send.mqtt import Connection, Received
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.edge.outbox.test_outbox import danger, event
from tests.edge.send.integration import device
from tests.edge.send.integration.device import USERS, sending, settings

ARM = "homeassistant/wordcam/lab/dev-1/arm"
EVENT = "homeassistant/wordcam/lab/dev-1/event"
DESCRIPTION = "homeassistant/device/lab/dev-1/config"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with device.server(tmp_path) as made:
        yield made


@contextmanager
def client(server: Mosquitto, folder: Path, user: str, topic: str) -> Iterator[Connection]:
    (folder / f"{user.replace('/', '-')}.password").write_text(USERS[user], encoding="utf-8")
    password = folder / f"{user.replace('/', '-')}.password"
    made = Connection(
        config.Mqtt(host=server.host, port=server.port, username=user, password_file=password),
        client_id=f"test-{user}",
        subscription=topic,
        will=None,
        window=1,
    )
    made.open()
    try:
        assert isinstance(made.events.get(timeout=30), mqtt_connection.Up)
        yield made
    finally:
        made.close()


def received(connection: Connection) -> Received:
    while True:
        found = connection.events.get(timeout=30)
        if isinstance(found, Received):
            return found


def test_the_device_is_described_at_the_birth_and_again_when_home_assistant_has_started(
    server: Mosquitto, tmp_path: Path
) -> None:
    found = settings(server, tmp_path, home_assistant={})
    with client(server, tmp_path, "home", DESCRIPTION) as home, sending(found):
        first = received(home)
        home.publish("homeassistant/status", b"online")
        second = received(home)

    assert first == second
    assert first.topic == DESCRIPTION


def test_a_danger_is_one_event_however_many_captions_speak_of_it(server: Mosquitto, tmp_path: Path) -> None:
    found = settings(server, tmp_path, home_assistant={})
    with Outbox(found.outbox.path, 100) as box:
        for compose in (event, danger, danger):
            box.append(compose)
    with client(server, tmp_path, "home", EVENT) as home:
        with sending(found):
            said = json.loads(received(home).payload)
        with sending(found):  # a new process, which sends the captions again
            wait_until(lambda: server.log.count("wordcam/v1/lab/dev-1/caption") > 6, "the captions once more")
        others = home.events.qsize()

    assert (said["event_type"], said["stream"]) == ("fire", "cam-0")
    assert said["sentence"].startswith("sentence")
    assert not others


def test_home_assistant_disarms_and_arms_and_a_retained_command_does_nothing(server: Mosquitto, tmp_path: Path) -> None:
    found = settings(server, tmp_path, home_assistant={"arming": True})
    with Outbox(found.outbox.path, 100) as box, client(server, tmp_path, "home", "wordcam/v1/lab/dev-1/status") as home:
        home.publish(ARM, b"OFF", retain=True)
        with sending(found):
            received(home)
            assert arming.is_armed(box), "the retained command"
            home.publish(ARM, b"off")
            home.publish(ARM, b"OFF")
            wait_until(lambda: not arming.is_armed(box), "disarmed")
        assert not arming.is_armed(box), "kept over a restart"
        with sending(found):
            home.publish(ARM, b"ON")
            wait_until(lambda: arming.is_armed(box) or home.publish(ARM, b"ON") is None, "armed")


def test_another_device_can_neither_disarm_nor_describe_it_nor_say_its_events(
    server: Mosquitto, tmp_path: Path
) -> None:
    with client(server, tmp_path, "home", "homeassistant/#") as home:
        with client(server, tmp_path, "lab/dev-2", "wordcam/v1/lab/dev-2/ack") as other:
            for topic in (ARM, DESCRIPTION, EVENT):
                other.publish(topic, b"OFF")
            turned = [other.events.get(timeout=30) for _ in range(3)]
        home.publish("homeassistant/status", b"end")
        first = received(home)

    assert all(isinstance(one, mqtt_connection.Turned) for one in turned)
    assert first.payload == b"end"


def test_arming_without_a_login_is_refused(tmp_path: Path, mosquitto: Mosquitto) -> None:
    found = settings(mosquitto, tmp_path, home_assistant={"arming": True})
    open_to_all = msgspec.structs.replace(found, mqtt=msgspec.structs.replace(found.mqtt, username=""))

    with pytest.raises(Misconfigured, match=r"needs a server that knows its users"):
        device.send(open_to_all, threading.Event())
