"""Both MQTT servers of the demo: they speak MQTT 5 and ask for the password."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from demo import mqtt
from demo.errors import Stuck
from demo.mqtt import Server
from testing.mosquitto import find
from testing.waiting import wait_until


@pytest.fixture(params=["mosquitto", "rumqttd"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """One of the two, with a user who has a password."""
    search_path = str(Path(find()).parent) + ":/usr/bin" if request.param == "mosquitto" else str(tmp_path)
    made = mqtt.prepare(tmp_path, {"device": "secret"}, search_path=search_path)
    assert made.name.lower() == request.param
    with subprocess.Popen(made.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        mqtt.wait(made.port)
        yield made
        process.terminate()


class Guest:
    """Someone who connects, subscribes to everything below `a` and says hello there."""

    def __init__(self, server: Server, password: str) -> None:
        self.heard: list[str] = []
        version, protocol = CallbackAPIVersion.VERSION2, MQTTProtocolVersion.MQTTv5
        self._client = Client(version, protocol=protocol, reconnect_on_failure=False)
        self._client.username_pw_set("device", password)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self.heard.append("outside")
        self._client.on_message = lambda _client, _data, message: self.heard.append(bytes(message.payload).decode())
        self._client.connect("127.0.0.1", server.port)
        self._client.loop_start()

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            client.subscribe("a/#", qos=1)
            client.publish("a/b", "hello", qos=1)


@pytest.mark.parametrize(("password", "heard"), [("secret", "hello"), ("guess", "outside")])
def test_only_who_knows_the_password_hears_what_is_published(server: Server, password: str, heard: str) -> None:
    guest = Guest(server, password)
    wait_until(lambda: bool(guest.heard), "an answer of the server")
    first = guest.heard[0]
    guest.leave()

    assert first == heard


def test_a_server_that_never_listens_is_given_up() -> None:
    with pytest.raises(Stuck, match=r"did not listen on port 1 within 0\.1 s"):
        mqtt.wait(1, seconds=0.1)
