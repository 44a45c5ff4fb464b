"""The devices' side of the wire: publishes captions at QoS 1 and hears what is acknowledged."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from bench import process
from bench.talk import Said
from contract import ack, topics

PATIENCE_SECONDS: Final = 60.0
"""Without any news for so long, a measurement is given up."""


def keep(port: int, client_id: str) -> None:
    """Make a session that keeps every caption for a client of this name, as if it had been here and gone."""
    client, ready = _client(client_id), threading.Event()
    lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no hint there
    lasting.SessionExpiryInterval = 3600
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port, clean_start=True, properties=lasting)
    filters = [topics.filter_of("caption"), topics.filter_of("status")]
    client.subscribe([(name, SubscribeOptions(qos=1)) for name in filters])
    client.loop_start()
    if not ready.wait(PATIENCE_SECONDS):
        raise process.Failed("the MQTT server does not take a subscription")
    client.disconnect()
    client.loop_stop()


class Devices:
    """Speaks for every device and hears for every device."""

    def __init__(self, port: int) -> None:
        self.stored = 0
        """Captions acknowledged so far."""
        self.last_at = 0.0
        """When the last of them was, by the monotonic clock."""
        self._sent = self._taken = 0
        self._listener, self._speaker = _client("bench-hears"), _client("bench-speaks")
        self._listener.on_message = self._hear
        self._speaker.on_publish = self._taken_one
        self._speaker.max_inflight_messages_set(500)
        ready = threading.Event()
        self._listener.on_subscribe = lambda *_: ready.set()
        for client in (self._listener, self._speaker):
            client.connect("127.0.0.1", port)
        self._listener.subscribe(topics.filter_of("ack"), qos=1)
        for client in (self._listener, self._speaker):
            client.loop_start()
        if not ready.wait(PATIENCE_SECONDS):
            raise process.Failed("the MQTT server does not take a subscription")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self._listener, self._speaker):
            client.disconnect()
            client.loop_stop()

    def send(self, said: Iterable[Said]) -> None:
        """Publish."""
        for one in said:
            self._sent += 1
            self._speaker.publish(one.topic, one.payload, qos=1)

    def wait_sent(self) -> None:
        """Wait until the server has everything; raises `process.Failed`."""
        self._wait(lambda: self._taken, self._sent, "the MQTT server takes no more captions")

    def wait_stored(self, count: int) -> None:
        """Wait until so many captions have been acknowledged to their devices; raises `process.Failed`."""
        self._wait(lambda: self.stored, count, "the alert service acknowledges no more captions")

    def _wait(self, done: Callable[[], int], goal: int, problem: str) -> None:
        seen, news_at = -1, time.monotonic()
        while (now := done()) < goal:
            if now != seen:
                seen, news_at = now, time.monotonic()
            elif time.monotonic() - news_at > PATIENCE_SECONDS:
                raise process.Failed(f"{problem}: {now} of {goal}")
            time.sleep(0.002)

    def _hear(self, _client: Client, _data: Any, message: Any) -> None:
        count = len(ack.decode(message.payload).stored)
        self.last_at = time.monotonic()
        self.stored += count

    def _taken_one(self, *_: Any) -> None:
        self._taken += 1


def _client(client_id: str) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_queued_messages_set(0)
    return client
